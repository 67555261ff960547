//! Prefixes of subnets and destinations.

use contrail_core::error::Error;
use ipnetwork::IpNetwork;

use crate::protocol::error::CniError;
use crate::protocol::json::shortened;

/// What is expected where there is no prefix.
pub(super) const PREFIX: &str = "a subnet such as 10.1.1.0/24 or fd00:1::/64 is expected";

/// A subnet or destination. The length is not optional: `10.1.1.0` alone would be a single host.
pub(super) fn prefix(text: &str, what: &str) -> Result<IpNetwork, CniError> {
    let network: Option<IpNetwork> = text.contains('/').then(|| text.parse().ok()).flatten();
    let network =
        network.ok_or_else(|| CniError::from(Error::invalid(what, shortened(text), PREFIX)))?;
    let proper = IpNetwork::new(network.network(), network.prefix()).unwrap_or(network);
    if proper == network {
        Ok(network)
    } else {
        let reason = format!("it has host bits; {proper} is the subnet");
        Err(Error::invalid(what, text, reason).into())
    }
}
