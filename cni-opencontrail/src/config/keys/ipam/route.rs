//! A route of a configuration.

use std::net::IpAddr;

use contrail_core::error::Error;
use contrail_core::kernel::Route;

use super::prefix::prefix;
use crate::config::invalid::invalid;
use crate::protocol::error::CniError;
use crate::protocol::json::{Object, integer, lookup, scalar};

/// Reads `dst`, `gw` and the numbers of a route.
pub(super) fn route(object: &Object, what: &str) -> Result<Route, CniError> {
    let given = lookup(object, "dst").ok_or_else(|| {
        CniError::from(Error::missing(
            format!("{what}, key dst"),
            "such as 0.0.0.0/0",
        ))
    })?;
    let text = scalar(given).unwrap_or_default();
    let destination = prefix(&text, &format!("{what}, key dst"))?;
    let gateway = match lookup(object, "gw").filter(|value| *value != "") {
        None => None,
        Some(value) => {
            let address: Option<IpAddr> = value.as_str().and_then(|text| text.parse().ok());
            let address = address.filter(|a| a.is_ipv4() == destination.is_ipv4());
            Some(address.ok_or_else(|| {
                let reason = format!("an address of the family of {destination} is expected");
                invalid(&format!("{what}, key gw"), value, &reason)
            })?)
        }
    };
    let number = |key: &str| -> Result<Option<u32>, CniError> {
        let Some(value) = lookup(object, key) else {
            return Ok(None);
        };
        let number = integer(value).and_then(|number| u32::try_from(number).ok());
        let reason = "a whole number is expected";
        number
            .map(Some)
            .ok_or_else(|| invalid(&format!("{what}, key {key}"), value, reason))
    };
    let scope = number("scope")?.map(u8::try_from).transpose();
    Ok(Route {
        destination,
        gateway,
        mtu: number("mtu")?,
        advmss: number("advmss")?,
        priority: number("priority")?,
        table: number("table")?,
        scope: scope.map_err(|_| {
            CniError::from(Error::invalid(
                format!("{what}, key scope"),
                number("scope")
                    .ok()
                    .flatten()
                    .unwrap_or_default()
                    .to_string(),
                "a number from 0 to 255 is expected",
            ))
        })?,
    })
}
