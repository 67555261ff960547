//! A subnet of a configuration, with its gateway and the range of its addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use contrail_core::attach::{Pool, SubnetSpec};
use contrail_core::error::Error;
use contrail_core::values::prefix::check_subnet;
use ipnetwork::IpNetwork;

use super::prefix::{PREFIX, prefix};
use crate::config::invalid::invalid;
use crate::protocol::error::CniError;
use crate::protocol::json::{Object, lookup, scalar};

/// Reads `subnet`, `gateway`, `rangeStart` and `rangeEnd` of an object.
pub(super) fn subnet(object: &Object, what: &str) -> Result<SubnetSpec, CniError> {
    let key = |key: &str| format!("{what}, key {key}");
    let given = lookup(object, "subnet").ok_or_else(|| {
        CniError::from(Error::missing(
            key("subnet"),
            "a subnet such as 10.1.1.0/24",
        ))
    })?;
    let text = scalar(given).ok_or_else(|| invalid(&key("subnet"), given, PREFIX))?;
    let prefix = subnet_prefix(&text, &key("subnet"))?;
    let inside = |name: &str| -> Result<Option<IpAddr>, CniError> {
        let Some(value) = lookup(object, name).filter(|value| *value != "") else {
            return Ok(None);
        };
        let address: Option<IpAddr> = value.as_str().and_then(|text| text.parse().ok());
        let inside = address.filter(|address| prefix.contains(*address));
        let reason = format!("an address in {prefix} is expected");
        inside
            .map(Some)
            .ok_or_else(|| invalid(&key(name), value, &reason))
    };
    let gateway = inside("gateway")?;
    let pool = match (inside("rangeStart")?, inside("rangeEnd")?) {
        (None, None) => None,
        (first, last) => {
            let (lowest, highest) = usable(prefix);
            Some(Pool {
                first: first.unwrap_or(lowest),
                last: last.unwrap_or(highest),
            })
        }
    };
    if let Some(Pool { first, last }) = pool.filter(|pool| pool.first > pool.last) {
        let reason = format!("it lies above rangeEnd {last}");
        return Err(Error::invalid(key("rangeStart"), first.to_string(), reason).into());
    }
    Ok(SubnetSpec {
        gateway,
        pools: pool.into_iter().collect(),
        ..SubnetSpec::new(prefix)
    })
}

/// A prefix from which containers can have addresses.
pub(super) fn subnet_prefix(text: &str, what: &str) -> Result<IpNetwork, CniError> {
    let prefix = prefix(text, what)?;
    check_subnet(prefix).map_err(|reason| Error::invalid(what, text, reason))?;
    Ok(prefix)
}

/// The first and the last address that a host may have.
fn usable(prefix: IpNetwork) -> (IpAddr, IpAddr) {
    match prefix {
        IpNetwork::V4(v4) if v4.prefix() < 31 => (
            Ipv4Addr::from(u32::from(v4.network()) + 1).into(),
            Ipv4Addr::from(u32::from(v4.broadcast()) - 1).into(),
        ),
        IpNetwork::V6(v6) if v6.prefix() < 127 => (
            Ipv6Addr::from(u128::from(v6.network()) + 1).into(),
            v6.broadcast().into(),
        ),
        other => (other.network(), other.broadcast()),
    }
}
