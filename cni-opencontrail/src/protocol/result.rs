//! The result of ADD in its newest form, and as the older versions of the protocol want it.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::CniError;
use super::json::{self as tolerant, Object, lookup};
use super::version::CniVersion;

/// The result of ADD. Fields that this plugin does not know are kept: an earlier plugin of the
/// chain put them there for a later one.
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
    #[serde(flatten)]
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
    /// Everything else.
    #[serde(flatten)]
    pub rest: Object,
}

/// An address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ip {
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
    /// "4" or "6" in versions before 1.0.0; it follows from the address.
    #[serde(default, skip_serializing)]
    version: Option<Value>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Object,
}

impl Ip {
    /// An address of an interface.
    pub fn new(address: IpNetwork, gateway: Option<IpAddr>, interface: u32) -> Self {
        Self {
            address,
            gateway,
            interface: Some(interface),
            version: None,
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
    /// `mtu`, `advmss`, `priority`, `table`, `scope` and everything else.
    #[serde(flatten)]
    pub rest: Object,
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
    #[serde(flatten)]
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
            Some(other) => return Err(refused(format!("its cniVersion is {other}"))),
        };
        if version <= CniVersion::V020 {
            object = from_020(object);
        }
        serde_json::from_value(Value::Object(object)).map_err(|e| refused(e.to_string()))
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

    /// The result as a configuration of `version` expects it.
    pub fn to_json(&self, version: CniVersion) -> Value {
        let mut value = match version {
            CniVersion::V110 | CniVersion::V100 => serde_json::to_value(self).unwrap_or_default(),
            CniVersion::V040 | CniVersion::V031 | CniVersion::V030 => self.to_040(),
            CniVersion::V020 | CniVersion::V010 => self.to_020(),
        };
        value["cniVersion"] = json!(version.as_str());
        value
    }

    /// Addresses say their family, interfaces have a name, MAC and sandbox only.
    fn to_040(&self) -> Value {
        let mut old = self.clone();
        for interface in &mut old.interfaces {
            interface.mtu = None;
            interface.rest.remove("socketPath");
            interface.rest.remove("pciID");
        }
        for ip in &mut old.ips {
            let family = if ip.address.is_ipv4() { "4" } else { "6" };
            ip.rest.insert("version".into(), json!(family));
        }
        serde_json::to_value(old).unwrap_or_default()
    }

    /// One address of each family with the routes of that family, no interfaces: the format has no
    /// place for more.
    fn to_020(&self) -> Value {
        let mut value = Object::new();
        for (key, is_v4) in [("ip4", true), ("ip6", false)] {
            let Some(ip) = self.ips.iter().find(|ip| ip.address.is_ipv4() == is_v4) else {
                continue;
            };
            let routes: Vec<&Route> = self
                .routes
                .iter()
                .filter(|route| route.dst.is_ipv4() == is_v4)
                .collect();
            let mut config = json!({"ip": ip.address});
            if let Some(gateway) = ip.gateway {
                config["gateway"] = json!(gateway);
            }
            if !routes.is_empty() {
                config["routes"] = json!(routes);
            }
            value.insert(key.into(), config);
        }
        if !self.dns.is_empty() {
            value.insert("dns".into(), json!(self.dns));
        }
        Value::Object(value)
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
