//! Keys that ask for what this plugin does not do: filters, addresses, devices. They are refused, because a
//! container without the protection or the address that was asked for looks like one that has it.
//!
//! | where | what is refused |
//! |---|---|
//! | a network, a document of several | [`REQUESTS`] |
//! | `args.cni`, `runtimeConfig` | the same, and the keys of a network: `service`, `network` |
//! | `capabilities` | the same, if `true` |
//! | `ipam.routes[]` | [`OF_ROUTES`] |
//!
//! A value that asks for nothing is accepted: `null`, `false`, 0, an empty text, list or object.

use serde_json::Value;

use super::keys::{known, table};
use crate::protocol::error::CniError;
use crate::protocol::json::{Object, lookup};

/// What configurations ask for and the plugin does not do.
struct Request {
    /// Its names, as [`known::plain`] has them.
    names: &'static [&'static str],
    /// What to do instead.
    instead: &'static str,
}

/// Names of the same things in Neutron, Multus, the reference plugins and other CNI plugins.
#[rustfmt::skip] // read as a table
const REQUESTS: &[Request] = &[
    Request { names: &["securitygroup", "securitygroups", "securitygroupids", "sg", "sgs"],
        instead: "security groups cannot be set here; a network policy filters between virtual networks" },
    Request { names: &["networkpolicy", "networkpolicies", "policy", "policies", "firewall", "acl", "acls"],
        instead: "attach the policy to the virtual network at the controller" },
    Request { names: &["portisolation", "isolation", "isolated"],
        instead: "containers of one virtual network reach each other; give those to be isolated networks of their own" },
    Request { names: &["portsecurity", "portsecurityenabled"],
        instead: "the vRouter always drops packets with a foreign source address" },
    Request { names: &["floatingip", "floatingips", "fip", "fips"],
        instead: "assign the floating IP to the VM interface at the controller" },
    Request { names: &["allowedaddresspair", "allowedaddresspairs", "addresspairs", "aap"],
        instead: "add the pairs to the VM interface at the controller" },
    Request { names: &["ip", "ips", "ipaddress", "ipaddresses", "address", "addresses", "staticip", "staticips",
        "fixedip", "fixedips"],
        instead: "request an address by runtimeConfig.ips, args.cni.ips or IP= in CNI_ARGS" },
    Request { names: &["mac", "macaddress", "hwaddr"],
        instead: "request a MAC address by runtimeConfig.mac, args.cni.mac or MAC= in CNI_ARGS" },
    Request { names: &["ipranges"],
        instead: "give the network a subnet with rangeStart and rangeEnd in ipam" },
    Request { names: &["vlan", "vlanid", "vlantag", "vlantrunk"],
        instead: "virtual networks keep containers apart without VLANs: name one with network" },
    Request { names: &["port", "portid", "portuuid", "vmi", "virtualmachineinterface"],
        instead: "the plugin creates the VM interface itself: request its addresses and join networks by name" },
    Request { names: &["bandwidth", "qos", "qosconfig", "qosconfigs"],
        instead: "chain the plugin bandwidth behind this one" },
    Request { names: &["portmapping", "portmappings"],
        instead: "chain the plugin portmap behind this one" },
    Request { names: &["deviceid", "pcibusid", "infinibandguid"],
        instead: "interfaces are veth pairs: no device can be assigned" },
];

/// Keys of a network in a place where they have no effect.
const OF_NETWORKS: Request = Request {
    names: &["service", "network", "networks"],
    instead: "it is a key of the network itself",
};

/// Other names of what a route has, and what it does not have.
const OF_ROUTES: &[Request] = &[
    Request {
        names: &["gateway", "via", "nexthop", "router"],
        instead: "the address of the next hop is gw",
    },
    Request {
        names: &["src", "source", "prefsrc", "from"],
        instead: "packets have the address of the interface that they leave",
    },
];

/// Refuses the first request of a network's or document's object that the plugin does not serve; `place`
/// says in messages which network it is.
///
/// # Errors
///
/// Code 2 with the key, its value, and what to do instead.
pub fn check(object: &Object, place: &str) -> Result<(), CniError> {
    refuse(object, "", place, REQUESTS.iter(), table::is_network_key)?;
    let args = lookup(object, "args").and_then(Value::as_object);
    let inner = [
        ("args.cni.", args.and_then(|args| lookup(args, "cni"))),
        ("runtimeConfig.", lookup(object, "runtimeConfig")),
        ("capabilities.", lookup(object, "capabilities")),
    ];
    for (prefix, inner) in inner {
        let Some(inner) = inner.and_then(Value::as_object) else {
            continue;
        };
        let requests = REQUESTS.iter().chain([&OF_NETWORKS]);
        refuse(inner, prefix, place, requests, known::is_request)?;
    }
    let ipam = lookup(object, "ipam").and_then(Value::as_object);
    let routes = ipam.and_then(|ipam| lookup(ipam, "routes")?.as_array());
    for (index, route) in routes.into_iter().flatten().enumerate() {
        let prefix = format!("ipam.routes[{index}].");
        if let Some(route) = route.as_object() {
            let is_known = |key: &str| known::is_one_of(known::ROUTE, key);
            refuse(route, &prefix, place, OF_ROUTES.iter(), is_known)?;
        }
    }
    Ok(())
}

/// Whether it is the name of such a request.
pub fn is_request(key: &str) -> bool {
    let key = known::plain(key);
    REQUESTS.iter().any(|request| request.is_named(&key))
}

impl Request {
    /// `key` as [`known::plain`] has it.
    fn is_named(&self, key: &str) -> bool {
        self.names.contains(&key)
    }
}

fn refuse(
    object: &Object,
    prefix: &str,
    place: &str,
    requests: impl Iterator<Item = &'static Request> + Clone,
    is_known: impl Fn(&str) -> bool,
) -> Result<(), CniError> {
    for (key, value) in object {
        if is_known(key) || asks_for_nothing(value) {
            continue;
        }
        let plain = known::plain(key);
        if let Some(request) = requests.clone().find(|request| request.is_named(&plain)) {
            let what = format!("{prefix}{key}{place}");
            return Err(CniError::unsupported(&what, value).with(request.instead));
        }
    }
    Ok(())
}

fn asks_for_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(wanted) => !wanted,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
    }
}
