//! `-o` of `docker network create`.

use std::net::{IpAddr, Ipv4Addr};

use contrail_core::{Error as CoreError, FqName};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::network_labels::{Asked, NetworkLabels, TakesLabels, network_labels};
use crate::error::Result;
use crate::options::{
    DockerOption, Given, NamesTarget, Table, Target, TargetNames, flag, items, mtu, target_options,
};
use crate::proto::Options;

/// The key of the user's options among Docker's.
const GENERIC: &str = "com.docker.network.generic";

/// The options. To add one, add a row here and a property below, and use it; its default is the one of
/// networks which were stored before.
pub(crate) const NETWORK_OPTIONS: Table<Draft> = Table {
    command: "docker network create -o",
    kind: "network option",
    label: "option",
    options: &[
        &target_options(
            "the virtual network, created if it does not exist and removed with its last user; \
                      if unset, `docker-` and Docker's id",
        ),
        &[
            DockerOption {
                key: "rt",
                example: "64512:1,64512:2",
                meaning: "route targets that are imported and exported",
                read: |draft, given| {
                    draft.properties.route_targets = route_targets(&given)?;
                    Ok(())
                },
            },
            DockerOption {
                key: "import-rt",
                example: "64512:1",
                meaning: "route targets that are only imported",
                read: |draft, given| {
                    draft.properties.imports = route_targets(&given)?;
                    Ok(())
                },
            },
            DockerOption {
                key: "export-rt",
                example: "64512:1",
                meaning: "route targets that are only exported",
                read: |draft, given| {
                    draft.properties.exports = route_targets(&given)?;
                    Ok(())
                },
            },
            DockerOption {
                key: "mtu",
                example: "1400",
                meaning: "the MTU of containers",
                read: |draft, given| {
                    draft.properties.mtu = Some(mtu(&given)?);
                    Ok(())
                },
            },
            DockerOption {
                key: "gateway",
                example: "none",
                meaning: "no default route in containers",
                read: |draft, given| {
                    draft.properties.without_gateway = flag(&given, "none")?;
                    Ok(())
                },
            },
            DockerOption {
                key: "dns",
                example: "10.1.1.53",
                meaning: "the address of the subnet at which the vRouter answers DNS, one of each family; \
                      if unset, the gateway's",
                read: |draft, given| {
                    draft.properties.dns = dns(&given)?;
                    Ok(())
                },
            },
            DockerOption {
                key: "ports",
                example: "error",
                meaning: "refuse containers with published ports, which the vRouter does not know; if unset, \
                      log a warning",
                read: |draft, given| {
                    draft.properties.refuse_ports = flag(&given, "error")?;
                    Ok(())
                },
            },
        ],
        &network_labels(),
    ],
    dockers: &[],
};

/// What a Docker network is to be in OpenContrail. Its JSON is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NetworkOptions {
    /// The virtual network.
    pub(super) target: Target,
    /// Everything else.
    #[serde(flatten)]
    pub(super) properties: Properties,
}

/// What options say about the virtual network and its containers. All have defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Properties {
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
    /// The addresses at which the vRouter answers DNS, at most one of each family; if unset, the
    /// gateway's.
    pub(super) dns: Vec<IpAddr>,
    /// Whether published ports are an error, rather than a warning.
    pub(super) refuse_ports: bool,
    /// What the names of interfaces in containers begin with, if the user has said.
    pub(super) interface_prefix: Option<String>,
}

/// Options while they are read.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    names: TargetNames,
    properties: Properties,
    labels: NetworkLabels,
}

impl TakesLabels for Draft {
    fn labels(&mut self) -> &mut NetworkLabels {
        &mut self.labels
    }
}

impl NamesTarget for Draft {
    fn names(&mut self) -> &mut TargetNames {
        &mut self.names
    }
}

impl NetworkOptions {
    /// The options of a network of which only the target is known.
    pub(super) fn of(target: Target) -> Self {
        Self {
            target,
            properties: Properties::default(),
        }
    }
}

/// Reads the options of a network. `project` is the project unless they name another; a network without
/// a name is called after Docker's id. Returns Docker's labels that mean nothing here, too.
///
/// # Errors
/// Options that are unknown, have values that cannot be used, or contradict what Docker has asked for.
pub(super) fn read(
    options: &Options,
    asked: Asked,
    project: &FqName,
    id: &str,
) -> Result<(NetworkOptions, Vec<String>)> {
    let mut draft = Draft::default();
    let ignored = match options.get(GENERIC) {
        Some(Value::Object(given)) => NETWORK_OPTIONS.read(given, &mut draft)?,
        None | Some(Value::Null) => Vec::new(),
        Some(other) => {
            let what = format!("option {GENERIC}");
            return Err(CoreError::invalid(what, other.to_string(), "options are expected").into());
        }
    };
    draft.labels.check(asked)?;
    let target = match draft.names.target(project)? {
        Some(target) => target,
        None => Target::Named(draft.names.project(project)?.child(format!("docker-{id}"))),
    };
    let properties = Properties {
        mtu: draft.labels.mtu(draft.properties.mtu)?,
        interface_prefix: draft.labels.interface_prefix(),
        ..draft.properties
    };
    Ok((NetworkOptions { target, properties }, ignored))
}

fn dns(given: &Given) -> Result<Vec<IpAddr>> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for item in items(given) {
        let Ok(address) = item.parse::<IpAddr>() else {
            return Err(given.refused("an address is expected, or one of each family"));
        };
        if addresses.iter().any(|a| a.is_ipv4() == address.is_ipv4()) {
            return Err(given.refused("one address of each family is possible"));
        }
        addresses.push(address);
    }
    Ok(addresses)
}

/// Reads `64512:100,target:10.0.0.1:7`.
fn route_targets(given: &Given) -> Result<Vec<String>> {
    let read = |item: &str| {
        let target = item.strip_prefix("target:").unwrap_or(item);
        let parts = target.split_once(':');
        match parts.is_some_and(|(who, number)| is_target(who, number)) {
            true => Ok(format!("target:{target}")),
            false => {
                let expected = "ASN:number or IPv4:number is expected, several separated by commas";
                Err(given.item_refused(item, expected))
            }
        }
    };
    items(given).map(read).collect()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(generic: Value) -> Result<NetworkOptions> {
        let options = json!({ "com.docker.network.enable_ipv6": false, GENERIC: generic });
        let project = FqName::new(["default-domain", "admin"]);
        let asked = Asked {
            ipv4: true,
            ipv6: false,
            internal: false,
        };
        let read = super::read(
            options.as_object().unwrap(),
            asked,
            &project,
            "0123456789ab",
        );
        read.map(|(options, _)| options)
    }

    #[test]
    fn labels_of_dockers_are_honoured_refused_or_reported() {
        const MTU: &str = "com.docker.network.driver.mtu";
        for (options, expected) in [
            (json!({ MTU: "1400" }), Some(1400)),
            (json!({ MTU: "1400", "mtu": "1400" }), Some(1400)),
            (json!({"mtu": "1300"}), Some(1300)),
            (json!({}), None),
        ] {
            assert_eq!(read(options).unwrap().properties.mtu, expected);
        }
        let prefix = read(json!({"com.docker.network.container_iface_prefix": "net"}));
        let prefix = prefix.unwrap().properties.interface_prefix;
        assert_eq!(prefix.as_deref(), Some("net"));
        for (label, value, expected) in [
            ("driver.mtu", "9", Some("68 to 65535")),
            ("container_iface_prefix", "much-too-long", Some("up to 10")),
            ("container_iface_prefix", "0net", Some("a letter")),
            ("container_iface_prefix", "a/b", Some("a letter")),
            ("enable_ipv4", "true", None),
            ("enable_ipv4", "false", Some("--ipv4=true")),
            ("enable_ipv6", "0", None),
            ("enable_ipv6", "true", Some("--ipv6=false")),
            ("enable_ipv6", "yes", Some("true or false is expected")),
            ("internal", "false", None),
            ("internal", "True", Some("--internal=false")),
            ("bridge.enable_icc", "true", None),
            ("bridge.enable_icc", "false", Some("security-group")),
            ("bridge.gateway_mode_ipv4", "routed", None),
            (
                "bridge.gateway_mode_ipv4",
                "nat",
                Some("routed is possible"),
            ),
            ("bridge.gateway_mode_ipv6", "isolated", Some("--internal")),
        ] {
            let outcome = read(json!({ format!("com.docker.network.{label}"): value }));
            let error = outcome.err().map(|error| error.to_string());
            match (error, expected) {
                (None, None) => {}
                (Some(error), Some(expected)) => assert!(error.contains(expected), "{error}"),
                other => panic!("{label} {value}: {other:?}"),
            }
        }
        let both = json!({ MTU: "1400", "mtu": "1300" });
        let error = read(both).unwrap_err().to_string();
        assert!(error.contains("\"1400\": option mtu is 1300"), "{error}");
    }

    #[test]
    fn other_labels_of_dockers_are_reported() {
        for label in ["com.docker.network.bridge.name", "com.docker.new"] {
            let given = json!({ label: "x", "name": "net1" });
            let ignored = NETWORK_OPTIONS.read(given.as_object().unwrap(), &mut Draft::default());
            assert_eq!(ignored.unwrap(), [label]);
        }
    }

    #[test]
    fn the_original_commands_options_are_understood() {
        let options = read(json!({"rt": "64512:1", "name": "net1"})).unwrap();
        assert_eq!(options.properties.route_targets, ["target:64512:1"]);
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
            read(json!({ "rt": list }))
                .unwrap()
                .properties
                .route_targets,
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
            (json!({"vn": "a:b"}), "domain:project:name is expected"),
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
