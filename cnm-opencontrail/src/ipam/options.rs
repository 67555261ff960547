//! `--ipam-opt`: which virtual network a pool belongs to, and whether it may get the pool's subnet.

use contrail_core::FqName;

use crate::error::Result;
use crate::options::{
    DockerOption, NamesTarget, Table, Target, TargetNames, target_options, truth,
};
use crate::proto::Options;

/// The options.
pub(crate) const POOL_OPTIONS: Table<Draft> = Table {
    command: "docker network create --ipam-opt",
    kind: "IPAM option",
    label: "IPAM option",
    options: &[
        &target_options("the virtual network, created with the subnet if it does not exist"),
        &[DockerOption {
            key: "add-subnet",
            example: "true",
            meaning: "add the subnet to the virtual network if a plugin made it with other ones",
            read: |draft, given| {
                draft.adds_subnet = truth(&given)?;
                Ok(())
            },
        }],
    ],
    // The engines of a swarm add it.
    dockers: &["com.docker.network.ipam.serial"],
};

/// What the options of a pool say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PoolOptions {
    /// The virtual network; `None` if the options name none, as those of Compose, which drops them.
    pub(super) target: Option<Target>,
    /// Whether the pool's subnet is added to a network of this project that has others; if unset, that is
    /// a contradiction.
    pub(super) adds_subnet: bool,
}

/// Options while they are read.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    names: TargetNames,
    adds_subnet: bool,
}

impl NamesTarget for Draft {
    fn names(&mut self) -> &mut TargetNames {
        &mut self.names
    }
}

/// Reads the options. `project` is the project unless they name another.
///
/// # Errors
/// Options that are unknown or have values that cannot be used.
pub(super) fn read(options: &Options, project: &FqName) -> Result<PoolOptions> {
    let mut draft = Draft::default();
    let ignored = POOL_OPTIONS.read(options, &mut draft)?;
    if !ignored.is_empty() {
        let ignored = ignored.join(", ");
        log::warn!("IPAM options without a meaning here: {ignored}");
    }
    Ok(PoolOptions {
        target: draft.names.target(project)?,
        adds_subnet: draft.adds_subnet,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_json(json: serde_json::Value) -> Result<PoolOptions> {
        let serde_json::Value::Object(options) = json else {
            panic!("an object");
        };
        read(&options, &FqName::new(["default-domain", "admin"]))
    }

    #[test]
    fn a_network_is_named_in_every_way() {
        let named = |text: &str| Target::Named(text.parse().unwrap());
        let existing = |text: &str| Target::Existing(text.parse().unwrap());
        for (options, expected) in [
            (
                serde_json::json!({"name": "net1"}),
                named("default-domain:admin:net1"),
            ),
            (
                serde_json::json!({"name": "net1", "project": "blue"}),
                named("default-domain:blue:net1"),
            ),
            (
                serde_json::json!({"name": "net1", "project": "d:blue"}),
                named("d:blue:net1"),
            ),
            (
                serde_json::json!({"vn": "net1"}),
                existing("default-domain:admin:net1"),
            ),
            (serde_json::json!({"vn": "d:p:n"}), existing("d:p:n")),
            (
                // A swarm adds one of its own.
                serde_json::json!({"vn": "d:p:n", "com.docker.network.ipam.serial": "true"}),
                existing("d:p:n"),
            ),
            (
                serde_json::json!({"vn": "5dd372be-4068-49dc-af5d-eb79f93a7bdf"}),
                Target::Id("5dd372be-4068-49dc-af5d-eb79f93a7bdf".parse().unwrap()),
            ),
        ] {
            assert_eq!(
                read_json(options.clone()).unwrap().target,
                Some(expected),
                "{options}"
            );
        }
    }

    #[test]
    fn a_subnet_is_added_on_request_only() {
        for (value, expected) in [("true", true), ("false", false)] {
            let options = serde_json::json!({"name": "net1", "add-subnet": value});
            assert_eq!(read_json(options).unwrap().adds_subnet, expected);
        }
        let options = serde_json::json!({"name": "net1"});
        assert!(!read_json(options).unwrap().adds_subnet);
    }

    #[test]
    fn no_network_may_be_named() {
        let serial = "com.docker.network.ipam.serial";
        for options in [serde_json::json!({}), serde_json::json!({ serial: "true" })] {
            assert_eq!(read_json(options).unwrap().target, None);
        }
    }

    #[test]
    fn what_is_missing_unknown_or_wrong_is_named() {
        for (options, expected) in [
            (
                serde_json::json!({"nmae": "net1"}),
                "did you mean \"name\"?",
            ),
            (serde_json::json!({"name": ""}), "IPAM option name"),
            (
                serde_json::json!({"name": "a:b:c", "project": "d"}),
                "not in project",
            ),
            (
                serde_json::json!({"vn": "a:b"}),
                "domain:project:name is expected",
            ),
            (
                serde_json::json!({"vn": "a", "name": "b"}),
                "one of them is enough",
            ),
            (
                serde_json::json!({"name": "a", "add-subnet": "yes"}),
                "true or false is expected",
            ),
        ] {
            let error = read_json(options.clone()).unwrap_err().to_string();
            assert!(error.contains(expected), "{options}: {error}");
        }
    }
}
