//! The `ipam` part of a configuration: the subnets of the virtual network and the routes of the
//! container. Addresses themselves always come from OpenContrail.

use std::collections::HashMap;

use contrail_core::attach::SubnetSpec;
use contrail_core::error::Error;
use contrail_core::kernel::Route;
use contrail_core::settings;
use ipnetwork::IpNetwork;
use serde_json::Value;

use super::route::route;
use super::subnet::{subnet, subnet_prefix};
use crate::config::invalid::invalid;
use crate::config::keys::known;
use crate::protocol::error::CniError;
use crate::protocol::json::{Object, lookup};

/// The keys of `ipam`; others are refused. `dataDir` and `resolvConf` belong to `host-local` and have no
/// effect here.
pub const KEYS: &[&str] = &[
    "type",
    "name",
    "subnet",
    "gateway",
    "rangeStart",
    "rangeEnd",
    "routes",
    "subnets",
    "ranges",
    "dataDir",
    "resolvConf",
];

/// What `ipam` asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ipam {
    /// The subnets, in their order.
    pub subnets: Vec<SubnetSpec>,
    /// The routes, in their order.
    pub routes: Vec<Route>,
}

/// Reads `ipam`; `place` says in messages which network it belongs to.
///
/// Subnets may be given in three forms, all of which count together:
/// `"subnet": "10.1.1.0/24"` with `gateway`, `rangeStart`, `rangeEnd` in the same object;
/// `"subnets": ["10.1.1.0/24", {"subnet": "fd00:1::/64", "gateway": "fd00:1::1"}]`;
/// and `host-local`'s `"ranges": [[{"subnet": …}], [{"subnet": …}]]`, a set for each family.
///
/// # Errors
///
/// Code 2 for a key that `ipam` does not have and for another IPAM plugin's `type`, code 7 for a
/// value that cannot be used.
pub fn parse(ipam: &Value, place: &str) -> Result<Ipam, CniError> {
    let object = object(ipam, &format!("ipam{place}"))?;
    check_keys(object, KEYS, "ipam", place)?;
    check_type(object, place)?;
    let mut read = Ipam::default();
    if lookup(object, "subnet").is_some() {
        read.subnets.push(subnet(object, &format!("ipam{place}"))?);
    } else if let Some(key) = ["gateway", "rangeStart", "rangeEnd"]
        .into_iter()
        .find(|key| lookup(object, key).is_some_and(|value| value != ""))
    {
        let msg = format!("ipam.subnet{place}");
        return Err(Error::missing(msg, format!("ipam.{key} needs it")).into());
    }
    for (index, item) in list(object, "subnets", place)?.iter().enumerate() {
        let what = format!("ipam.subnets[{index}]{place}");
        read.subnets.push(match item {
            Value::String(text) => SubnetSpec::new(subnet_prefix(text, &what)?),
            other => entry(other, &what)?,
        });
    }
    read.subnets.extend(range_sets(object, place)?);
    for (index, item) in list(object, "routes", place)?.iter().enumerate() {
        let what = format!("ipam.routes[{index}]{place}");
        read.routes.push(route(self::object(item, &what)?, &what)?);
    }
    check_overlap(&read.subnets, place)?;
    Ok(read)
}

fn check_overlap(subnets: &[SubnetSpec], place: &str) -> Result<(), CniError> {
    let mut prefixes: Vec<IpNetwork> = subnets.iter().map(|s| s.prefix).collect();
    // A subnet is right behind one that contains it, or behind another one in that.
    prefixes.sort_by_key(|prefix| (prefix.network(), prefix.prefix()));
    match prefixes.windows(2).find(|pair| overlap(pair[0], pair[1])) {
        None => Ok(()),
        Some(pair) => {
            let reason = format!("it overlaps {}", pair[0]);
            let what = format!("subnet in ipam{place}");
            Err(Error::invalid(what, pair[1].to_string(), reason).into())
        }
    }
}

/// The subnets of `ranges`, as `host-local` has it: each set gives an address, from any of its ranges.
fn range_sets(object: &Object, place: &str) -> Result<Vec<SubnetSpec>, CniError> {
    let mut subnets: Vec<SubnetSpec> = Vec::new();
    for (index, item) in list(object, "ranges", place)?.iter().enumerate() {
        let what = format!("ipam.ranges[{index}]{place}");
        let ranges = item
            .as_array()
            .ok_or_else(|| invalid(&what, item, "a list of {\"subnet\": …} is expected"))?;
        let ranges = ranges.iter().map(|range| entry(range, &what));
        let ranges: Vec<SubnetSpec> = ranges.collect::<Result<_, _>>()?;
        let refused = |reason: &str| Err(invalid(&what, item, reason));
        let Some(first) = ranges.first() else {
            continue;
        };
        let is_v4 = first.prefix.is_ipv4();
        if ranges.iter().any(|range| range.prefix.is_ipv4() != is_v4) {
            return refused("the ranges of a set are of one family: each set gives one address");
        }
        if subnets.iter().any(|one| one.prefix.is_ipv4() == is_v4) {
            return refused(
                "each set gives an address, and an interface has one of each family: \
                 put ranges of one family into one set",
            );
        }
        subnets.extend(merged(ranges, &what)?);
    }
    Ok(subnets)
}

/// The subnets of one set, each with all of its ranges.
fn merged(ranges: Vec<SubnetSpec>, what: &str) -> Result<Vec<SubnetSpec>, CniError> {
    let mut places: HashMap<IpNetwork, usize> = HashMap::new();
    let mut set: Vec<SubnetSpec> = Vec::new();
    for range in ranges {
        match places.get(&range.prefix) {
            Some(&place) => merge(&mut set[place], range, what)?,
            None => {
                places.insert(range.prefix, set.len());
                set.push(range);
            }
        }
    }
    for subnet in &set {
        let mut pools = subnet.pools.clone();
        pools.sort_by_key(|pool| pool.first);
        if pools.windows(2).any(|pair| pair[1].first <= pair[0].last) {
            return Err(two_overlap(subnet, what));
        }
    }
    Ok(set)
}

/// Adds a further range of the same subnet.
fn merge(subnet: &mut SubnetSpec, range: SubnetSpec, what: &str) -> Result<(), CniError> {
    if let (Some(one), Some(other)) = (subnet.gateway, range.gateway)
        && one != other
    {
        let reason = format!("it has the gateways {one} and {other}");
        return Err(refused(&range, reason, what));
    }
    // One of the two is the whole subnet.
    if subnet.pools.is_empty() || range.pools.is_empty() {
        return Err(two_overlap(&range, what));
    }
    subnet.gateway = subnet.gateway.or(range.gateway);
    subnet.pools.extend(range.pools);
    Ok(())
}

fn two_overlap(subnet: &SubnetSpec, what: &str) -> CniError {
    refused(subnet, "two of its ranges overlap".to_string(), what)
}

fn refused(subnet: &SubnetSpec, reason: String, what: &str) -> CniError {
    let what = format!("{what}, key subnet");
    Error::invalid(what, subnet.prefix.to_string(), reason).into()
}

/// A subnet in a list of them.
fn entry(value: &Value, what: &str) -> Result<SubnetSpec, CniError> {
    let object = object(value, what)?;
    check_keys(object, known::SUBNET, what, "")?;
    subnet(object, what)
}

/// Refuses what is none of `keys`: a subnet without its gateway or range would give other addresses than
/// those that were meant.
fn check_keys(
    object: &Object,
    keys: &'static [&'static str],
    what: &str,
    place: &str,
) -> Result<(), CniError> {
    let Some((key, value)) = object.iter().find(|(key, _)| !known::is_one_of(keys, key)) else {
        return Ok(());
    };
    let hint = match settings::nearest(key, keys.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("known are {}", keys.join(", ")),
    };
    Err(CniError::unsupported(&format!("{what}.{key}{place}"), value).with(hint))
}

fn check_type(object: &Object, place: &str) -> Result<(), CniError> {
    match lookup(object, "type") {
        None => Ok(()),
        Some(Value::String(kind)) if matches!(kind.as_str(), "" | "opencontrail") => Ok(()),
        Some(other) => Err(CniError::unsupported(&format!("ipam.type{place}"), other)
            .with("addresses come from OpenContrail: leave it out or write \"opencontrail\"")),
    }
}

fn overlap(a: IpNetwork, b: IpNetwork) -> bool {
    a.is_ipv4() == b.is_ipv4() && (a.contains(b.network()) || b.contains(a.network()))
}

fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Object, CniError> {
    value
        .as_object()
        .ok_or_else(|| invalid(what, value, "an object is expected"))
}

fn list<'a>(object: &'a Object, key: &str, place: &str) -> Result<&'a [Value], CniError> {
    match lookup(object, key) {
        None => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(other) => Err(invalid(
            &format!("ipam.{key}{place}"),
            other,
            "a list is expected",
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(ipam: Value) -> Ipam {
        parse(&ipam, "").unwrap()
    }

    #[test]
    fn the_walk_throughs_form_is_read() {
        let ipam = read(json!({"subnet": "10.1.1.0/24", "routes": [{"dst": "0.0.0.0/0"}]}));
        assert_eq!(ipam.subnets[0].prefix.to_string(), "10.1.1.0/24");
        assert_eq!(
            (ipam.subnets[0].gateway, ipam.subnets[0].pools.as_slice()),
            (None, [].as_slice())
        );
        assert_eq!(ipam.routes[0].destination.to_string(), "0.0.0.0/0");
        assert_eq!(ipam.routes[0].gateway, None);
    }

    #[test]
    fn all_forms_of_subnets_count_together() {
        let ipam = read(json!({
            "type": "opencontrail", "subnet": "10.1.1.0/24", "gateway": "10.1.1.1",
            "rangeStart": "10.1.1.10", "rangeEnd": null,
            "subnets": ["10.1.2.0/24", {"subnet": "fd00:1::/64", "gateway": "", "rangeEnd": "fd00:1::ff"}],
            "ranges": [[{"subnet": "fd00:2::/64", "gateway": "fd00:2::1"}], []]
        }));
        let shown: Vec<String> = ipam.subnets.iter().map(|s| s.prefix.to_string()).collect();
        assert_eq!(
            shown,
            ["10.1.1.0/24", "10.1.2.0/24", "fd00:1::/64", "fd00:2::/64"]
        );
        let pool = |index: usize| {
            ipam.subnets[index]
                .pools
                .first()
                .map(|p| format!("{}-{}", p.first, p.last))
        };
        assert_eq!(pool(0).unwrap(), "10.1.1.10-10.1.1.254");
        assert_eq!(pool(2).unwrap(), "fd00:1::1-fd00:1::ff");
    }

    #[test]
    fn bad_values_are_refused_with_key_value_and_what_is_allowed() {
        for (ipam, code, parts) in [
            (
                json!({"subnet": "10.1.1.5/24"}),
                7,
                vec!["10.1.1.5/24", "10.1.1.0/24"],
            ),
            (json!({"subnet": "10.1.1.0"}), 7, vec!["10.1.1.0/24 or"]),
            (
                json!({"subnet": "10.1.1.0/24", "gateway": "10.2.1.1"}),
                7,
                vec!["gateway", "10.2.1.1", "10.1.1.0/24"],
            ),
            (
                json!({"subnet": "10.1.1.0/24", "rangeStart": "10.1.1.9", "rangeEnd": "10.1.1.8"}),
                7,
                vec!["rangeStart", "above"],
            ),
            (
                json!({"gateway": "10.2.1.1"}),
                7,
                vec!["ipam.subnet is missing", "ipam.gateway"],
            ),
            (
                json!({"subnets": ["10.0.0.0/8", "10.1.0.0/16"]}),
                7,
                vec!["10.1.0.0/16", "overlaps 10.0.0.0/8"],
            ),
            (
                json!({"subnets": ["10.1.9.0/24", "fd00::/64", "10.1.0.0/16", "10.0.0.0/24"]}),
                7,
                vec!["10.1.9.0/24", "overlaps 10.1.0.0/16"],
            ),
            (
                json!({"subnets": ["fd00:0:0:1::/64", "10.0.0.0/8", "fd00::/32", "fd00:1::/64"]}),
                7,
                vec!["fd00:0:0:1::/64", "overlaps fd00::/32"],
            ),
            (
                json!({"subnets": ["10.0.0.0/24", "10.0.0.0/24"]}),
                7,
                vec!["10.0.0.0/24", "overlaps 10.0.0.0/24"],
            ),
            (
                json!({"routes": [{"gw": "10.0.0.1"}]}),
                7,
                vec!["ipam.routes[0]", "dst"],
            ),
            (
                json!({"routes": [{"dst": "0.0.0.0/0", "gw": "fd00::1"}]}),
                7,
                vec!["fd00::1"],
            ),
            (
                json!({"routes": [{"dst": "0.0.0.0/0", "scope": 300}]}),
                7,
                vec!["scope", "300"],
            ),
            (json!({"routes": {}}), 7, vec!["ipam.routes", "list"]),
            (json!("x"), 7, vec!["ipam", "object"]),
            (
                json!({"type": "host-local", "subnet": "10.0.0.0/8"}),
                2,
                vec!["ipam.type", "host-local", "opencontrail"],
            ),
            (
                json!({"subnets": [{"subnet": "10.1.1.0/24", "gatway": "10.1.1.1"}]}),
                2,
                vec!["ipam.subnets[0].gatway", "mean gateway?"],
            ),
            (
                json!({"ranges": [[{"subnet": "10.1.1.0/24", "rangestrt": "10.1.1.1"}]]}),
                2,
                vec!["ipam.ranges[0].rangestrt", "mean rangeStart?"],
            ),
            (json!({"vlan": 7}), 2, vec!["ipam.vlan", "known are type"]),
            (
                json!({"subent": "10.0.0.0/8"}),
                2,
                vec!["ipam.subent", "10.0.0.0/8", "mean subnet?"],
            ),
        ] {
            let error = parse(&ipam, "").unwrap_err();
            let text = format!("{} {}", error.msg, error.details);
            assert_eq!(error.code, code, "{text}");
            for part in parts {
                assert!(text.contains(part), "{part:?} in {text}");
            }
        }
    }
}
