//! The configuration on standard input: one network, or the document `{"networks": [ … ]}`.

use std::net::IpAddr;

use contrail_core::FqName;
use contrail_core::attach::Service;
use contrail_core::error::Error;
use contrail_core::settings::{self, Layer, Origin, Settings};
use serde_json::Value;

use crate::error::CniError;
use crate::ipam::{self, Ipam};
use crate::json::{Object, integer, lookup, scalar};
use crate::result::Dns;
use crate::service;
use crate::skel::is_name;
use crate::version::CniVersion;

/// The keys of a network configuration, besides the settings.
pub const KEYS: &[&str] = &[
    "cniVersion",
    "name",
    "type",
    "networks",
    "network",
    "mtu",
    "ipam",
    "dns",
    "service",
    "args",
    "capabilities",
    "runtimeConfig",
    "prevResult",
];

/// The most networks of one document. Each takes a few threads, connections and netlink messages.
const MAX_NETWORKS: usize = 64;

/// The configuration of a call.
#[derive(Clone, Debug)]
pub struct Config {
    /// The version in which the runtime expects the result.
    pub version: CniVersion,
    /// The networks; more than one only in a document of several.
    pub networks: Vec<NetConf>,
    /// Whether it is a document of several networks.
    pub is_list: bool,
    /// The whole object.
    pub object: Object,
}

/// The configuration of one network.
#[derive(Clone, Debug)]
pub struct NetConf {
    /// Its name.
    pub name: String,
    /// Its own object.
    pub own: Object,
    /// The document around it; empty for a single network.
    pub document: Object,
    /// Which network it is, for messages about one of several: ` of network net1`.
    place: String,
}

/// Reads standard input to a JSON object.
///
/// # Errors
///
/// Code 6 for anything else.
pub fn decode(stdin: &[u8]) -> Result<Object, CniError> {
    let refused = |reason: String| {
        CniError::new(CniError::DECODE, "cannot decode the network configuration").with(reason)
    };
    match serde_json::from_slice(stdin) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(refused("a JSON object is expected".into())),
        Err(e) if stdin.iter().all(u8::is_ascii_whitespace) => {
            Err(refused(format!("standard input is empty ({e})")))
        }
        Err(e) => Err(refused(e.to_string())),
    }
}

/// Whether the configuration of a plugin is one for this plugin.
pub fn is_own_type(object: &Object) -> bool {
    let kind = lookup(object, "type").and_then(Value::as_str);
    matches!(kind, Some("opencontrail" | "cni-opencontrail"))
}

/// Whether the object is a document of several networks.
pub fn is_list(object: &Object) -> bool {
    lookup(object, "networks").is_some()
}

impl Config {
    /// Reads names and version; the rest is read when it is needed, so that DEL does not fail for
    /// what only ADD needs.
    ///
    /// # Errors
    ///
    /// Code 7 for a network without a proper name, code 1 for an unknown version.
    pub fn read(object: Object) -> Result<Self, CniError> {
        let is_list = is_list(&object);
        let networks = if is_list {
            entries(&object)?
        } else {
            let name = name(&object, "")?;
            vec![NetConf {
                name,
                own: object.clone(),
                document: Object::new(),
                place: String::new(),
            }]
        };
        Ok(Self {
            version: version(&object, is_list)?,
            networks,
            is_list,
            object,
        })
    }

    /// The keys that neither this plugin nor the protocol knows, with what each was probably meant
    /// to be. They are not refused: runtimes and other tools add keys of their own.
    pub fn unknown_keys(&self) -> Vec<(&str, Option<&'static str>)> {
        let own = self.networks.iter().map(|network| &network.own);
        let document = self.is_list.then_some(&self.object);
        let mut keys: Vec<&str> = own
            .chain(document)
            .flat_map(|object| object.keys().map(String::as_str))
            .filter(|key| !is_known(key))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter()
            .map(|key| {
                let known = KEYS.iter().copied().chain(settings::names());
                (key, settings::nearest(key, known))
            })
            .collect()
    }
}

fn is_known(key: &str) -> bool {
    key.starts_with("cni.dev/")
        || settings::find(key).is_some()
        || KEYS.iter().any(|known| known.eq_ignore_ascii_case(key))
}

/// The version of the result. A configuration without one has 0.1.0. A document of several networks
/// without one gets the newest: no runtime wrote it that would expect something older, and 0.1.0
/// has room for a single address.
fn version(object: &Object, is_list: bool) -> Result<CniVersion, CniError> {
    match lookup(object, "cniVersion") {
        Some(Value::String(text)) if !text.is_empty() => CniVersion::parse(text),
        Some(Value::String(_)) | None if is_list => Ok(CniVersion::NEWEST),
        Some(Value::String(_)) | None => Ok(CniVersion::V010),
        Some(other) => Err(CniError::new(
            CniError::DECODE,
            format!("cannot decode cniVersion {other}"),
        )
        .with("a text such as \"1.0.0\" is expected")),
    }
}

fn name(object: &Object, place: &str) -> Result<String, CniError> {
    match lookup(object, "name") {
        None => Err(Error::missing(
            format!("the network's name{place}"),
            "give the configuration a key name",
        )
        .into()),
        Some(Value::String(name)) if is_name(name) => Ok(name.clone()),
        Some(other) => Err(invalid(
            &format!("name{place}"),
            other,
            "a letter or digit, then letters, digits, _ . and - are allowed",
        )),
    }
}

fn entries(object: &Object) -> Result<Vec<NetConf>, CniError> {
    let list = lookup(object, "networks").and_then(Value::as_array);
    let Some(list) = list.filter(|list| !list.is_empty()) else {
        let given = lookup(object, "networks").unwrap_or(&Value::Null);
        let reason = "a list of at least one network is expected";
        return Err(invalid("networks", given, reason));
    };
    if list.len() > MAX_NETWORKS {
        let reason = format!("at most {MAX_NETWORKS} networks are attached at once");
        let given = format!("{} networks", list.len());
        return Err(Error::invalid("networks", given, reason).into());
    }
    let entries = list.iter().enumerate().map(|(index, entry)| {
        let place = format!(" of networks[{index}]");
        let Value::Object(own) = entry else {
            return Err(invalid(
                &format!("networks[{index}]"),
                entry,
                "an object is expected",
            ));
        };
        let name = name(own, &place)?;
        if let Some(kind) = lookup(own, "type").filter(|_| !is_own_type(own)) {
            let reason = "only networks of type \"opencontrail\" can be attached here";
            return Err(invalid(&format!("type{place}"), kind, reason));
        }
        Ok(NetConf {
            place: format!(" of network {name}"),
            name,
            own: own.clone(),
            document: object.clone(),
        })
    });
    entries.collect()
}

impl NetConf {
    /// The settings in the configuration, nearest first.
    ///
    /// # Errors
    ///
    /// Code 7 for a setting whose value is not a text, a number, a truth value or a list of those.
    pub fn layers(&self) -> Result<Vec<Layer>, CniError> {
        let own = format!("network configuration{}", self.place);
        Ok(vec![
            layer(&self.own, &own)?,
            layer(&self.document, "network configuration")?,
        ])
    }

    /// The objects in which wishes for this attachment may stand, nearest first. Those of the
    /// document belong to its first network: no address or MAC can be on two.
    pub fn wish_objects(&self, is_first: bool) -> Vec<&Object> {
        let document = is_first.then_some(&self.document);
        std::iter::once(&self.own).chain(document).collect()
    }

    /// The virtual network: the key `network` if given, else the configuration's name in the
    /// project. `network` adopts one under another name or of another project:
    /// `"default-domain:other:net"`, the same as a list, or the name alone.
    ///
    /// # Errors
    ///
    /// Code 7 for anything else.
    pub fn fq_name(&self, settings: &Settings) -> Result<FqName, CniError> {
        let project = FqName::new([settings.domain.as_str(), settings.project.as_str()]);
        let Some(given) = lookup(&self.own, "network").filter(|value| *value != "") else {
            return Ok(project.child(self.name.as_str()));
        };
        let text = match given {
            Value::String(text) => Some(text.clone()),
            Value::Array(parts) => {
                let parts: Option<Vec<&str>> = parts.iter().map(Value::as_str).collect();
                parts.map(|parts| parts.join(":"))
            }
            _ => None,
        };
        let name: Option<FqName> = text.and_then(|text| text.parse().ok());
        match name {
            Some(name) if name.parts().len() == 1 => Ok(project.child(name.name())),
            Some(name) if name.parts().len() == 3 => Ok(name),
            _ => Err(invalid(
                &format!("key network{}", self.place),
                given,
                "domain:project:network or the name of a network of the project is expected",
            )),
        }
    }

    /// The subnets and routes.
    ///
    /// # Errors
    ///
    /// As [`ipam::parse`].
    pub fn ipam(&self) -> Result<Ipam, CniError> {
        match lookup(&self.own, "ipam") {
            None => Ok(Ipam::default()),
            Some(value) => ipam::parse(value, &self.place),
        }
    }

    /// The part that the interface plays in a service chain.
    ///
    /// # Errors
    ///
    /// As [`service::parse`].
    pub fn service(&self, settings: &Settings) -> Result<Option<Service>, CniError> {
        let project = FqName::new([settings.domain.as_str(), settings.project.as_str()]);
        let given = lookup(&self.own, "service");
        given
            .map(|value| service::parse(value, &project, &self.place))
            .transpose()
    }

    /// The MTU in bytes; 0 is none, as configurations of Go programs have it.
    ///
    /// # Errors
    ///
    /// Code 7 for what cannot be the MTU of an interface.
    pub fn mtu(&self) -> Result<Option<u32>, CniError> {
        let Some(given) = self.inherited("mtu") else {
            return Ok(None);
        };
        match integer(given) {
            Some(0) => Ok(None),
            Some(mtu @ 68..=65_535) => Ok(Some(mtu as u32)),
            _ => Err(invalid(
                &format!("mtu{}", self.place),
                given,
                "a number of bytes from 68 to 65535 is expected",
            )),
        }
    }

    /// The name resolution that replaces the network's own.
    ///
    /// # Errors
    ///
    /// Code 7 when it has another shape.
    pub fn dns(&self) -> Result<Option<Dns>, CniError> {
        let Some(given) = self.inherited("dns") else {
            return Ok(None);
        };
        let refused = |reason: String| invalid(&format!("dns{}", self.place), given, &reason);
        let dns: Result<Dns, _> = serde_json::from_value(given.clone());
        let dns = dns.map_err(|e| refused(e.to_string()))?;
        let mut servers = dns.nameservers.iter();
        if let Some(other) = servers.find(|text| text.parse::<IpAddr>().is_err()) {
            return Err(refused(format!("name server {other} is no address")));
        }
        Ok(Some(dns).filter(|dns| !dns.is_empty()))
    }

    fn inherited(&self, key: &str) -> Option<&Value> {
        lookup(&self.own, key).or_else(|| lookup(&self.document, key))
    }
}

fn layer(object: &Object, name: &str) -> Result<Layer, CniError> {
    let mut layer = Layer::default();
    for (key, value) in object {
        let Some((setting, _)) = settings::find(key).filter(|_| !value.is_null()) else {
            continue;
        };
        let text = match value {
            Value::Array(items) => {
                let items: Option<Vec<String>> = items.iter().map(scalar).collect();
                items.map(|items| items.join(","))
            }
            other => scalar(other),
        };
        let Some(text) = text else {
            // What stands before an @ in a URL is a user with a password.
            let is_hidden = setting.setting().secret || value.to_string().contains('@');
            let shown = match is_hidden {
                true => Value::from("***"),
                false => value.clone(),
            };
            let reason = "a text, a number, true, false or a list of those is expected";
            return Err(invalid(&format!("{key} ({name})"), &shown, reason));
        };
        let origin = Origin::Document {
            name: name.to_string(),
            key: key.clone(),
        };
        layer.set_named(key, text, origin);
    }
    Ok(layer)
}

fn invalid(what: &str, value: &Value, reason: &str) -> CniError {
    let shown = scalar(value).unwrap_or_else(|| value.to_string());
    Error::invalid(what, shown, reason).into()
}
