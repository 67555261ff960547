//! The configuration on standard input: one network, or the document `{"networks": [ … ]}`.

use contrail_core::error::Error;
use serde_json::Value;

use super::invalid::invalid;
use super::keys::table::is_network_key;
use super::network::Network;
use super::unsupported;
use crate::protocol::environment::is_name;
use crate::protocol::error::CniError;
use crate::protocol::json::{Object, lookup, shown};
use crate::protocol::version::CniVersion;

/// The most networks of one document. Each takes a few threads, connections and netlink messages.
const MAX_NETWORKS: usize = 64;

/// The configuration of a call.
#[derive(Clone, Debug)]
pub struct Config {
    /// The version in which the runtime expects the result.
    pub version: CniVersion,
    /// The networks; more than one only in a document of several.
    pub networks: Vec<Network>,
    /// The whole object.
    pub object: Object,
}

/// Reads standard input to a JSON object. A byte order mark before it is skipped.
///
/// # Errors
///
/// Code 6 for anything else.
pub fn decode(stdin: &[u8]) -> Result<Object, CniError> {
    let refused = |reason: String| {
        CniError::new(CniError::DECODE, "cannot decode the network configuration").with(reason)
    };
    let text = stdin.strip_prefix("\u{feff}".as_bytes()).unwrap_or(stdin);
    match serde_json::from_slice(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(refused("a JSON object is expected".into())),
        Err(_) if text.iter().all(u8::is_ascii_whitespace) => {
            Err(refused("standard input is empty".into()))
        }
        Err(e) if e.is_eof() => Err(refused(format!(
            "it ends in line {}, before the JSON object does",
            e.line()
        ))),
        Err(e) => Err(refused(format!(
            "it is not JSON at line {} column {}",
            e.line(),
            e.column()
        ))),
    }
}

/// Whether the object is a document of several networks.
pub fn is_list(object: &Object) -> bool {
    lookup(object, "networks").is_some()
}

impl Config {
    /// Reads names and version. Each command reads the rest that it needs.
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
            vec![Network {
                name,
                own: with_meaning(&object),
                document: Object::new(),
                place: String::new(),
            }]
        };
        Ok(Self {
            version: version(&object, is_list)?,
            networks,
            object,
        })
    }
}

/// The keys that have a meaning, also that of a request that is refused. A generated document may have any
/// number of others, and every network has a look at those of its document.
fn with_meaning(object: &Object) -> Object {
    let keys = object.iter();
    keys.filter(|(key, _)| is_network_key(key) || unsupported::is_request(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The version of the result; 0.1.0 if unset. A document of several networks gets the newest if unset:
/// no runtime writes such a document and expects something older, and 0.1.0 has room for one address.
fn version(object: &Object, is_list: bool) -> Result<CniVersion, CniError> {
    match lookup(object, "cniVersion") {
        Some(Value::String(text)) if !text.is_empty() => Ok(CniVersion::parse(text)?),
        Some(Value::String(_)) | None if is_list => Ok(CniVersion::NEWEST),
        Some(Value::String(_)) | None => Ok(CniVersion::V010),
        Some(other) => Err(CniError::new(
            CniError::DECODE,
            format!("cannot decode cniVersion {}", shown(other)),
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

fn entries(object: &Object) -> Result<Vec<Network>, CniError> {
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
    let mut document = with_meaning(object);
    document.retain(|key, _| !key.eq_ignore_ascii_case("networks"));
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
        Ok(Network {
            place: format!(" of network {name}"),
            name,
            own: with_meaning(own),
            document: document.clone(),
        })
    });
    entries.collect()
}
