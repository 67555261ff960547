//! What the runtime requests for one attachment: addresses, Ethernet address, name resolution.
//!
//! A request may come in three ways; the first of them that has it counts: `runtimeConfig`
//! (capabilities `ips` and `mac`), `args.cni`, `CNI_ARGS` (`IP=`, `MAC=`).

use std::collections::HashSet;
use std::net::IpAddr;

use contrail_core::MacAddr;
use contrail_core::error::Error;
use ipnetwork::IpNetwork;
use serde_json::Value;

use super::invalid::invalid;
use crate::protocol::cni_args::CniArgs;
use crate::protocol::error::CniError;
use crate::protocol::json::{Object, lookup, shortened};
use crate::protocol::result::Dns;

/// The requests for one attachment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// At most one of each family.
    pub addresses: Vec<IpAddr>,
    /// The Ethernet address.
    pub mac: Option<MacAddr>,
}

impl Requests {
    /// Collects them from configuration objects, nearest first, and from `CNI_ARGS` behind them.
    ///
    /// # Errors
    ///
    /// Code 7 for a bad value in an object, code 4 for one in `CNI_ARGS`.
    pub fn collect(objects: &[&Object], args: Option<&CniArgs>) -> Result<Self, CniError> {
        let mut requests = Self::default();
        for (value, place) in ways(objects, "ips") {
            if requests.addresses.is_empty() {
                for text in strings(value, &format!("{place}.ips"))? {
                    let read = address(text, &format!("{place}.ips"));
                    requests.addresses.push(read?);
                }
            }
        }
        let last = args.and_then(|args| args.get("IP"));
        if let Some(text) = last.filter(|_| requests.addresses.is_empty()) {
            let read = address(text, "CNI_ARGS IP").map_err(in_environment);
            requests.addresses.push(read?);
        }
        // podman repeats an address when it connects a container again.
        let mut seen = HashSet::new();
        requests.addresses.retain(|address| seen.insert(*address));
        requests.check_families()?;
        for (value, place) in ways(objects, "mac") {
            if requests.mac.is_none() {
                requests.mac = Some(mac(value, &format!("{place}.mac"))?);
            }
        }
        let last = args.and_then(|args| args.get("MAC"));
        if let Some(text) = last.filter(|_| requests.mac.is_none()) {
            let read = mac(&Value::from(text), "CNI_ARGS MAC").map_err(in_environment);
            requests.mac = Some(read?);
        }
        Ok(requests)
    }

    fn check_families(&self) -> Result<(), CniError> {
        let v4 = self.addresses.iter().filter(|a| a.is_ipv4()).count();
        if v4 <= 1 && self.addresses.len() - v4 <= 1 {
            return Ok(());
        }
        let shown: Vec<String> = self.addresses.iter().map(IpAddr::to_string).collect();
        let reason = "one address of each family is possible";
        Err(Error::invalid("requested addresses", shown.join(", "), reason).into())
    }
}

/// The name resolution that `runtimeConfig.dns` of the nearest object asks for.
pub fn dns(objects: &[&Object]) -> Option<Dns> {
    let mut found = objects.iter().filter_map(|object| {
        let config = lookup(object, "runtimeConfig")?.as_object()?;
        lookup(config, "dns")?.as_object()
    });
    let dns = found.next()?;
    let list = |key: &str| -> Vec<String> {
        let values = lookup(dns, key).map(texts).unwrap_or_default();
        values.into_iter().map(str::to_string).collect()
    };
    let dns = Dns {
        nameservers: list("servers"),
        search: list("searches"),
        options: list("options"),
        ..Dns::default()
    };
    Some(dns).filter(|dns| !dns.is_empty())
}

/// The values of `key` in `runtimeConfig` and in `args.cni` of each object, with their places.
fn ways<'a>(objects: &[&'a Object], key: &str) -> Vec<(&'a Value, &'static str)> {
    let mut found = Vec::new();
    for object in objects {
        let runtime = lookup(object, "runtimeConfig").and_then(Value::as_object);
        let args = lookup(object, "args").and_then(Value::as_object);
        let cni = args.and_then(|args| lookup(args, "cni")?.as_object());
        for (way, place) in [(runtime, "runtimeConfig"), (cni, "args.cni")] {
            let value = way.and_then(|way| lookup(way, key));
            found.extend(
                value
                    .filter(|value| **value != "")
                    .map(|value| (value, place)),
            );
        }
    }
    found
}

/// The texts of a list, or a single one; anything else is refused.
fn strings<'a>(value: &'a Value, what: &str) -> Result<Vec<&'a str>, CniError> {
    let expected = value.as_array().map_or(1, Vec::len);
    let strings = texts(value);
    if strings.len() == expected {
        return Ok(strings);
    }
    let reason = "a list of addresses is expected";
    Err(invalid(what, value, reason))
}

/// The texts of a list, or a single one; anything else is left out.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// An address with or without the length of its subnet, which the network's own decides.
fn address(text: &str, what: &str) -> Result<IpAddr, CniError> {
    let network: Option<IpNetwork> = text.trim().parse().ok();
    let address = network.map(|network| network.ip());
    let usable = address.filter(|a| !a.is_unspecified() && !a.is_multicast() && !a.is_loopback());
    usable.ok_or_else(|| {
        let reason = "an address such as 10.1.1.9 or 10.1.1.9/24 is expected";
        Error::invalid(what, shortened(text), reason).into()
    })
}

fn mac(value: &Value, what: &str) -> Result<MacAddr, CniError> {
    let text = value.as_str().unwrap_or_default();
    let mac: Option<MacAddr> = text.parse().ok();
    mac.filter(|mac| mac.is_usable()).ok_or_else(|| {
        let reason = "the address of one interface such as 02:00:5e:10:00:01 is expected";
        Error::invalid(what, shortened(text), reason).into()
    })
}

fn in_environment(mut error: CniError) -> CniError {
    error.code = CniError::ENVIRONMENT;
    error
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn collect(config: Value, args: &str) -> Result<Requests, CniError> {
        let object = config.as_object().cloned().unwrap_or_default();
        Requests::collect(&[&object], Some(&CniArgs::parse(args)))
    }

    #[test]
    fn the_nearest_way_wins() {
        let config = json!({
            "runtimeConfig": {"ips": ["10.0.0.8/24"]},
            "args": {"cni": {"ips": ["10.0.0.7"], "mac": "02:00:00:00:00:07"}}
        });
        let requests = collect(config, "IP=10.0.0.9;MAC=02:00:00:00:00:09").unwrap();
        assert_eq!(requests.addresses, ["10.0.0.8".parse::<IpAddr>().unwrap()]);
        assert_eq!(requests.mac.unwrap().to_string(), "02:00:00:00:00:07");
        let requests = collect(json!({}), "MAC=02:00:00:00:00:09;IP=10.0.0.9/24").unwrap();
        assert_eq!(requests.addresses, ["10.0.0.9".parse::<IpAddr>().unwrap()]);
        assert_eq!(requests.mac.unwrap().to_string(), "02:00:00:00:00:09");
    }

    #[test]
    fn capitals_null_and_other_peoples_keys_are_tolerated() {
        let config = json!({"RuntimeConfig": {"IPs": ["fd00::5", "10.0.0.5"], "Mac": null,
            "unknown": 1, "portMappings": [{"HostPort": 1}], "aliases": {"n": ["a"]}}, "args": null});
        assert_eq!(collect(config, "").unwrap().addresses.len(), 2);
        let config = json!({"runtimeConfig": {"aliases": ["a"], "ips": [], "mac": ""}});
        assert_eq!(collect(config, "a;b=").unwrap(), Requests::default());
    }

    #[test]
    fn equal_addresses_count_once() {
        for (config, args, expected) in [
            (
                json!({"runtimeConfig": {"ips": ["10.6.1.77", "10.6.1.77"]}}),
                "",
                vec!["10.6.1.77"],
            ),
            (
                json!({"runtimeConfig": {"ips": ["10.6.1.77/24", "10.6.1.77", "10.6.1.77/16"]}}),
                "",
                vec!["10.6.1.77"],
            ),
            (
                json!({"runtimeConfig": {"ips": ["fd00::5", "FD00:0::5", "10.0.0.5", "10.0.0.5"]}}),
                "",
                vec!["fd00::5", "10.0.0.5"],
            ),
            (
                json!({"args": {"cni": {"ips": ["fd00::5/64", "fd00::5"]}}}),
                "IP=fd00::6",
                vec!["fd00::5"],
            ),
        ] {
            let requests = collect(config.clone(), args).unwrap();
            let found = requests.addresses.iter().map(IpAddr::to_string);
            assert_eq!(found.collect::<Vec<_>>(), expected, "{config}");
        }
    }

    #[test]
    fn bad_values_have_the_code_of_their_way() {
        for (config, args, code) in [
            (json!({"runtimeConfig": {"ips": ["x"]}}), "", 7),
            (json!({"runtimeConfig": {"ips": [5]}}), "", 7),
            (json!({"runtimeConfig": {"ips": {}}}), "", 7),
            (
                json!({"runtimeConfig": {"ips": ["10.0.0.1", "10.0.0.2"]}}),
                "",
                7,
            ),
            (
                json!({"args": {"cni": {"mac": "ff:ff:ff:ff:ff:ff"}}}),
                "",
                7,
            ),
            (json!({}), "IP=0.0.0.0", 4),
            (json!({}), "MAC=zz", 4),
        ] {
            assert_eq!(
                collect(config.clone(), args).unwrap_err().code,
                code,
                "{config} {args}"
            );
        }
    }

    #[test]
    fn containerds_name_resolution_is_understood() {
        let config = json!({"runtimeConfig": {"dns": {"Servers": ["10.96.0.10"], "Searches": ["a"],
            "Options": null}}});
        let dns = dns(&[config.as_object().unwrap()]).unwrap();
        assert_eq!(
            (dns.nameservers.len(), dns.search.len(), dns.options.len()),
            (1, 1, 0)
        );
    }
}
