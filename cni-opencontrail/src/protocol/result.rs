//! The result of ADD in its newest form. [`super::answer`] writes it as each version of the protocol wants it.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::CniError;
use super::json::{self as tolerant, Object, lookup};
use super::version::CniVersion;

/// The result of ADD. Fields that this plugin does not know are kept: an earlier plugin of the
/// chain put them there for a later one.
///
/// The fields are in the order in which the specification describes them, and are written so.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AddResult {
    /// The interfaces, each host's end before its container's.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub interfaces: Vec<Interface>,
    /// The addresses.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub ips: Vec<Ip>,
    /// The routes.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub routes: Vec<Route>,
    /// Name resolution.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Dns::is_empty"
    )]
    pub dns: Dns,
    /// Everything else.
    #[serde(flatten, serialize_with = "tolerant::sorted")]
    pub rest: Object,
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its Ethernet address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Its MTU (version 1.1.0).
    #[serde(
        default,
        deserialize_with = "tolerant::number",
        skip_serializing_if = "Option::is_none"
    )]
    pub mtu: Option<u32>,
    /// For a container's interface the network namespace, exactly as the runtime called it:
    /// runtimes and later plugins compare the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
    /// A socket to which the interface leads (version 1.1.0).
    #[serde(
        default,
        rename = "socketPath",
        skip_serializing_if = "Option::is_none"
    )]
    pub socket_path: Option<Value>,
    /// The device behind it (version 1.1.0).
    #[serde(default, rename = "pciID", skip_serializing_if = "Option::is_none")]
    pub pci_id: Option<Value>,
    /// Everything else.
    #[serde(flatten, serialize_with = "tolerant::sorted")]
    pub rest: Object,
}

/// An address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ip {
    /// "4" or "6" in versions before 1.0.0. It follows from the address, so it is written, and not read.
    #[serde(
        default,
        deserialize_with = "tolerant::ignored",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) version: Option<String>,
    /// The address with its host bits and the prefix length of its subnet.
    pub address: IpNetwork,
    /// The gateway of its subnet.
    #[serde(
        default,
        deserialize_with = "gateway",
        skip_serializing_if = "Option::is_none"
    )]
    pub gateway: Option<IpAddr>,
    /// Which of the interfaces has it, counted from 0.
    #[serde(
        default,
        deserialize_with = "tolerant::number",
        skip_serializing_if = "Option::is_none"
    )]
    pub interface: Option<u32>,
    /// Everything else.
    #[serde(flatten, serialize_with = "tolerant::sorted")]
    pub rest: Object,
}

impl Ip {
    /// An address of an interface.
    pub fn new(address: IpNetwork, gateway: Option<IpAddr>, interface: u32) -> Self {
        Self {
            version: None,
            address,
            gateway,
            interface: Some(interface),
            rest: Object::new(),
        }
    }
}

/// A route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// Where it leads.
    pub dst: IpNetwork,
    /// The next hop.
    #[serde(
        default,
        deserialize_with = "gateway",
        skip_serializing_if = "Option::is_none"
    )]
    pub gw: Option<IpAddr>,
    /// The MTU of its packets (version 1.1.0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<Value>,
    /// The segment size to announce (version 1.1.0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advmss: Option<Value>,
    /// Its priority: the lowest number wins (version 1.1.0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Value>,
    /// The routing table that has it (version 1.1.0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Value>,
    /// The scope of its destination (version 1.1.0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Value>,
    /// Everything else.
    #[serde(flatten, serialize_with = "tolerant::sorted")]
    pub rest: Object,
}

impl Route {
    /// A route with everything else unset.
    pub fn new(dst: IpNetwork, gw: Option<IpAddr>) -> Self {
        Self {
            dst,
            gw,
            mtu: None,
            advmss: None,
            priority: None,
            table: None,
            scope: None,
            rest: Object::new(),
        }
    }
}

/// Name resolution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "an object such as {\"nameservers\": [\"10.1.1.253\"]} is expected")]
pub struct Dns {
    /// Addresses of name servers.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub nameservers: Vec<String>,
    /// The local domain.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub domain: String,
    /// Domains that are searched for short names.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub search: Vec<String>,
    /// Options of the resolver.
    #[serde(
        default,
        deserialize_with = "tolerant::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub options: Vec<String>,
    /// Everything else.
    #[serde(flatten, serialize_with = "tolerant::sorted")]
    pub rest: Object,
}

impl Dns {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what `other` has and this has not.
    pub fn extend(&mut self, other: Dns) {
        let lists = [
            (&mut self.nameservers, other.nameservers),
            (&mut self.search, other.search),
            (&mut self.options, other.options),
        ];
        for (mine, others) in lists {
            for text in others {
                if !mine.contains(&text) {
                    mine.push(text);
                }
            }
        }
        if self.domain.is_empty() {
            self.domain = other.domain;
        }
        for (key, value) in other.rest {
            self.rest.entry(key).or_insert(value);
        }
    }
}

impl AddResult {
    /// Reads a `prevResult` of any version; one without its own version has the configuration's.
    ///
    /// # Errors
    ///
    /// Code 6 when it is not a result of its version.
    pub fn of_previous(value: &Value, config: CniVersion) -> Result<Self, CniError> {
        let refused = |reason: String| {
            CniError::new(CniError::DECODE, "cannot decode prevResult").with(reason)
        };
        let object = value.as_object();
        let mut object = object
            .cloned()
            .ok_or_else(|| refused("an object is expected".into()))?;
        let version = match object.remove("cniVersion") {
            None | Some(Value::Null) => config,
            Some(Value::String(text)) if text.is_empty() => config,
            Some(Value::String(text)) => {
                CniVersion::parse(&text).map_err(|error| refused(error.to_string()))?
            }
            Some(other) => {
                return Err(refused(format!(
                    "its cniVersion is {}",
                    tolerant::shown(&other)
                )));
            }
        };
        if version <= CniVersion::V020 {
            object = from_020(object);
        }
        serde_json::from_value(Value::Object(object))
            .map_err(|e| refused(tolerant::shortened(&e.to_string())))
    }

    /// Puts `next`, the work of this plugin, behind what the chain had so far.
    pub fn append(&mut self, mut next: AddResult) {
        let offset = self.interfaces.len() as u32;
        for ip in &mut next.ips {
            ip.interface = ip.interface.map(|index| index + offset);
        }
        self.interfaces.extend(next.interfaces);
        self.ips.extend(next.ips);
        self.routes.extend(next.routes);
        self.dns.extend(next.dns);
        self.rest.extend(next.rest);
    }
}

/// The newer shape of a result of version 0.1.0 or 0.2.0.
fn from_020(mut old: Object) -> Object {
    let (mut ips, mut routes) = (Vec::new(), Vec::new());
    for key in ["ip4", "ip6"] {
        let Some(Value::Object(config)) = old.remove(key) else {
            continue;
        };
        ips.push(json!({"address": lookup(&config, "ip"), "gateway": lookup(&config, "gateway")}));
        if let Some(Value::Array(list)) = lookup(&config, "routes") {
            routes.extend(list.iter().cloned());
        }
    }
    old.insert("ips".into(), Value::Array(ips));
    old.insert("routes".into(), Value::Array(routes));
    old
}

/// For serde: an address, where `null` and "" are none.
fn gateway<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<IpAddr>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    text.filter(|text| !text.is_empty())
        .map(|text| text.parse().map_err(serde::de::Error::custom))
        .transpose()
}
