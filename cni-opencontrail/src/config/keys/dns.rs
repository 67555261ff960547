//! The key `dns`.

use std::net::IpAddr;

use super::given::Given;
use crate::protocol::error::CniError;
use crate::protocol::json::shortened;
use crate::protocol::result::Dns;

/// The name resolution that replaces the virtual network's own; `None` if it says nothing.
///
/// # Errors
///
/// Code 7 for another shape, or a name server that is not an address.
pub fn parse(given: &Given) -> Result<Option<Dns>, CniError> {
    let dns: Result<Dns, _> = serde_json::from_value(given.value.clone());
    let dns = dns.map_err(|e| given.refused(&shortened(&e.to_string())))?;
    let mut servers = dns.nameservers.iter();
    if let Some(other) = servers.find(|text| text.parse::<IpAddr>().is_err()) {
        return Err(given.refused(&format!("name server {} is no address", shortened(other))));
    }
    Ok(Some(dns).filter(|dns| !dns.is_empty()))
}
