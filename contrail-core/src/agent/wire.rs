//! How the port API writes that there is no value: it has no `null`, and a key must not be missing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use uuid::Uuid;

/// The id that no object has. The agent stores it itself for text that is no id; not every version of its
/// parser is known to take an empty text.
pub(super) const NO_ID: Uuid = Uuid::nil();

/// An id in a request.
pub(super) fn id(id: Option<Uuid>) -> Uuid {
    id.unwrap_or(NO_ID)
}

/// An IPv4 address in a request: releases before 4.0 refuse a port if neither address is one.
pub(super) fn address(address: Option<Ipv4Addr>) -> Ipv4Addr {
    address.unwrap_or(Ipv4Addr::UNSPECIFIED)
}

/// An IPv6 address in a request.
pub(super) fn address6(address: Option<Ipv6Addr>) -> String {
    address.map_or_else(String::new, |address| address.to_string())
}

/// Reads an id.
pub(super) fn read_id<'de, D>(deserializer: D) -> Result<Option<Uuid>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(parsed(deserializer)?.filter(|id| *id != NO_ID))
}

/// Reads an address.
pub(super) fn read_address<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr + Into<IpAddr> + Copy,
{
    let address = parsed::<D, T>(deserializer)?;
    Ok(address.filter(|address| !(*address).into().is_unspecified()))
}

/// Reads a value that does not parse as `None`: it is only shown, nothing depends on it.
pub(super) fn parsed<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
{
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

/// Reads a name.
pub(super) fn read_name<'de, D>(deserializer: D) -> Result<Option<String>, D::Error>
where
    D: Deserializer<'de>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()))
}
