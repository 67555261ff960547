//! `-o` of `docker network create`.

use std::net::{IpAddr, Ipv4Addr};

use contrail_core::settings::nearest;
use contrail_core::{Error as CoreError, FqName};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::proto::{DOCKERS, Options};

/// Where the user's own options stand among Docker's.
const GENERIC: &str = "com.docker.network.generic";

/// The options of `docker network create -o`.
pub const NETWORK_OPTIONS: [&str; 10] = [
    "name",
    "vn",
    "project",
    "rt",
    "import-rt",
    "export-rt",
    "mtu",
    "gateway",
    "dns",
    "ports",
];

/// What a Docker network is to be in OpenContrail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NetworkOptions {
    /// The virtual network.
    pub(super) target: Target,
    /// Route targets that are imported and exported, as the API writes them.
    pub(super) route_targets: Vec<String>,
    /// Route targets that are imported only.
    pub(super) imports: Vec<String>,
    /// Route targets that are exported only.
    pub(super) exports: Vec<String>,
    /// The MTU of containers.
    pub(super) mtu: Option<u32>,
    /// Whether containers get no default route.
    pub(super) without_gateway: bool,
    /// The addresses at which the vRouter answers DNS, at most one of each family; the gateway's
    /// without.
    #[serde(default)]
    pub(super) dns: Vec<IpAddr>,
    /// Whether published ports are an error, rather than a warning.
    pub(super) refuse_ports: bool,
}

/// Which virtual network a Docker network stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Target {
    /// By its name: made when it does not exist.
    Named(FqName),
    /// By its name: must exist, and is never removed.
    Existing(FqName),
    /// By its id: must exist, and is never removed.
    Id(Uuid),
}

impl Target {
    /// Its name; the id of one that is only known by that.
    pub(super) fn name(&self) -> FqName {
        match self {
            Self::Named(name) | Self::Existing(name) => name.clone(),
            Self::Id(id) => FqName::new([id.to_string()]),
        }
    }
}

/// Reads the options of a network. `project` counts without a project among them; a network without a
/// name is called after Docker's id.
pub(super) fn network(options: &Options, project: &FqName, id: &str) -> Result<NetworkOptions> {
    let none = Options::new();
    let given = match options.get(GENERIC) {
        Some(Value::Object(given)) => given,
        None | Some(Value::Null) => &none,
        Some(other) => return Err(invalid(GENERIC, other, "options are expected")),
    };
    let unknown =
        |key: &&String| !NETWORK_OPTIONS.contains(&key.as_str()) && !key.starts_with(DOCKERS);
    if let Some(key) = given.keys().find(unknown) {
        return Err(Error::UnknownOption {
            kind: "network option",
            key: key.clone(),
            nearest: nearest(key, NETWORK_OPTIONS),
            known: NETWORK_OPTIONS.to_vec(),
        });
    }
    let targets = |key| text(given, key)?.map_or(Ok(Vec::new()), |list| route_targets(key, list));
    Ok(NetworkOptions {
        target: target(given, project, id)?,
        route_targets: targets("rt")?,
        imports: targets("import-rt")?,
        exports: targets("export-rt")?,
        mtu: text(given, "mtu")?.map(mtu).transpose()?,
        without_gateway: one_of(given, "gateway", "none")?,
        dns: text(given, "dns")?.map_or(Ok(Vec::new()), dns)?,
        refuse_ports: one_of(given, "ports", "error")?,
    })
}

fn target(given: &Options, project: &FqName, id: &str) -> Result<Target> {
    let asked = match text(given, "project")? {
        None => None,
        Some(name) if name.contains(':') => Some(fq_name("project", name, 2)?),
        Some(name) => Some(project.parent().child(name)),
    };
    let project = asked.clone().unwrap_or_else(|| project.clone());
    let named = |key, name: &str| {
        if !name.contains(':') {
            return Ok(project.child(name));
        }
        let whole = fq_name(key, name, 3)?;
        match &asked {
            Some(asked) if *asked != whole.parent() => {
                let reason = format!("it is not in project {asked}, which is given too");
                Err(invalid(key, &name.into(), &reason))
            }
            _ => Ok(whole),
        }
    };
    match (text(given, "name")?, text(given, "vn")?) {
        (None, None) => Ok(Target::Named(project.child(format!("docker-{id}")))),
        (Some(name), None) => Ok(Target::Named(named("name", name)?)),
        (None, Some(vn)) => match vn.parse() {
            Ok(id) => Ok(Target::Id(id)),
            Err(_) => Ok(Target::Existing(named("vn", vn)?)),
        },
        (Some(_), Some(vn)) => Err(invalid(
            "vn",
            &vn.into(),
            "name is given too: one of them is enough",
        )),
    }
}

pub(super) fn fq_name(key: &str, text: &str, parts: usize) -> Result<FqName> {
    let name = text
        .parse::<FqName>()
        .ok()
        .filter(|name| name.parts().len() == parts);
    let allowed =
        "a name, or the whole name with its domain and parents joined by colons, is expected";
    name.ok_or_else(|| invalid(key, &text.into(), allowed))
}

fn mtu(text: &str) -> Result<u32> {
    // The least that IPv4 allows, and the most that fits its length field.
    let mtu = text.parse().ok().filter(|mtu| (68..=65535).contains(mtu));
    mtu.ok_or_else(|| invalid("mtu", &text.into(), "a number from 68 to 65535 is expected"))
}

fn dns(list: &str) -> Result<Vec<IpAddr>> {
    let refused = |reason| invalid("dns", &list.into(), reason);
    let mut addresses: Vec<IpAddr> = Vec::new();
    for item in list.split(',') {
        let Ok(address) = item.trim().parse::<IpAddr>() else {
            return Err(refused("an address is expected, or one of each family"));
        };
        if addresses.iter().any(|a| a.is_ipv4() == address.is_ipv4()) {
            return Err(refused("one address of each family is possible"));
        }
        addresses.push(address);
    }
    Ok(addresses)
}

fn one_of(given: &Options, key: &str, only: &str) -> Result<bool> {
    match text(given, key)? {
        None => Ok(false),
        Some(value) if value == only => Ok(true),
        Some(value) => Err(invalid(
            key,
            &value.into(),
            &format!("{only} is expected, or nothing"),
        )),
    }
}

/// Reads `64512:100,target:10.0.0.1:7`.
fn route_targets(key: &str, list: &str) -> Result<Vec<String>> {
    list.split(',')
        .map(|item| {
            let item = item.trim();
            let target = item.strip_prefix("target:").unwrap_or(item);
            let valid = target
                .split_once(':')
                .is_some_and(|(who, number)| is_target(who, number));
            valid.then(|| format!("target:{target}")).ok_or_else(|| {
                let allowed = "ASN:number or IPv4:number is expected, several separated by commas";
                invalid(key, &item.into(), allowed)
            })
        })
        .collect()
}

/// A route target has eight bytes (RFC 4360, RFC 5668): two of type, and six that the two parts
/// share: a 2-byte ASN leaves four for the number, a 4-byte ASN or an address leaves two.
fn is_target(who: &str, number: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(number) {
        return false;
    }
    match (who.parse::<u32>(), who.parse::<Ipv4Addr>()) {
        (Ok(asn), _) if digits(who) && asn <= u16::MAX.into() => number.parse::<u32>().is_ok(),
        (Ok(_), _) if digits(who) => number.parse::<u16>().is_ok(),
        (_, Ok(_)) => number.parse::<u16>().is_ok(),
        _ => false,
    }
}

pub(super) fn text<'a>(given: &'a Options, key: &str) -> Result<Option<&'a str>> {
    match given.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(other) => Err(invalid(key, other, "a text is expected")),
    }
}

pub(super) fn invalid(key: &str, value: &Value, reason: &str) -> Error {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    CoreError::invalid(format!("option {key}"), text, reason).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(generic: Value) -> Result<NetworkOptions> {
        let options = json!({ "com.docker.network.enable_ipv6": false, GENERIC: generic });
        let project = FqName::new(["default-domain", "admin"]);
        network(options.as_object().unwrap(), &project, "0123456789ab")
    }

    #[test]
    fn the_original_commands_options_are_understood() {
        let options = read(json!({"rt": "64512:1", "name": "net1"})).unwrap();
        assert_eq!(options.route_targets, ["target:64512:1"]);
        assert_eq!(
            options.target,
            Target::Named("default-domain:admin:net1".parse().unwrap())
        );
    }

    #[test]
    fn a_network_without_a_name_is_called_after_dockers_id() {
        for nothing in [json!({}), Value::Null] {
            let name = "default-domain:admin:docker-0123456789ab".parse().unwrap();
            assert_eq!(read(nothing).unwrap().target, Target::Named(name));
        }
    }

    #[test]
    fn route_targets_have_two_or_four_byte_numbers_or_an_address() {
        let list = "64512:4294967295, target:10.0.0.1:7,4200000000:65535";
        assert_eq!(
            read(json!({ "rt": list })).unwrap().route_targets,
            [
                "target:64512:4294967295",
                "target:10.0.0.1:7",
                "target:4200000000:65535"
            ]
        );
        for bad in [
            "64512",
            "64512:",
            ":1",
            "70000:70000",
            "10.0.0.1:70000",
            "a:1",
            "1:-1",
            "1:1,",
        ] {
            let error = read(json!({ "rt": bad })).unwrap_err().to_string();
            assert!(error.contains("option rt"), "{bad}: {error}");
        }
    }

    #[test]
    fn mistakes_are_refused_with_what_is_allowed() {
        for (options, text) in [
            (json!({"nmae": "x"}), "did you mean \"name\""),
            (json!({"mtu": "9"}), "68 to 65535"),
            (json!({"mtu": 1500}), "a text is expected"),
            (json!({"gateway": "10.1.1.1"}), "none is expected"),
            (json!({"name": "a", "vn": "b"}), "one of them is enough"),
            (json!({"vn": "a:b"}), "joined by colons"),
            (json!({"vn": "a:b:c", "project": "d"}), "not in project"),
            (json!({"dns": "x"}), "an address is expected"),
            (
                json!({"dns": "10.1.1.2,10.1.1.3"}),
                "one address of each family",
            ),
        ] {
            let error = read(options).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
