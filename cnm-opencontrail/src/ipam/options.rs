//! `--ipam-opt`: which virtual network a pool belongs to, and whether it may get the pool's subnet.

use contrail_core::settings::nearest;
use contrail_core::{Error as CoreError, FqName};
use serde_json::Value;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::proto::{DOCKERS, Options};

/// The options of `docker network create --ipam-opt`.
pub const IPAM_OPTIONS: [&str; 4] = ["name", "vn", "project", "add-subnet"];

/// What the options of a pool say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PoolOptions {
    /// The virtual network.
    pub(super) target: Target,
    /// Whether the pool's subnet is added to a network of this project that has others. Without it that
    /// is a contradiction.
    pub(super) adds_subnet: bool,
}

/// The virtual network that the options name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// By its name: made with the pool's subnet when it does not exist.
    Named(FqName),
    /// By its name: must exist.
    Existing(FqName),
    /// By its id: must exist.
    Id(Uuid),
}

/// Reads the options. `project` is the one that counts without a project of their own, with its
/// domain.
///
/// # Errors
/// Unknown options and values that cannot be used; [`CoreError::Missing`] when no network is named.
pub(super) fn read(options: &Options, project: &FqName) -> Result<PoolOptions> {
    let unknown =
        |key: &&String| !IPAM_OPTIONS.contains(&key.as_str()) && !key.starts_with(DOCKERS);
    if let Some(key) = options.keys().find(unknown) {
        return Err(Error::UnknownOption {
            kind: "IPAM option",
            key: key.clone(),
            nearest: nearest(key, IPAM_OPTIONS),
            known: IPAM_OPTIONS.to_vec(),
        });
    }
    Ok(PoolOptions {
        target: target(options, project)?,
        adds_subnet: match text(options, "add-subnet")? {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(invalid("add-subnet", other, "true or false is expected")),
        },
    })
}

fn target(options: &Options, project: &FqName) -> Result<Target> {
    let project = match text(options, "project")? {
        None => project.clone(),
        Some(given) if given.contains(':') => {
            fq_name("project", given, 2, "a name or domain:name is expected")?
        }
        Some(given) => project.parent().child(given),
    };
    match (text(options, "name")?, text(options, "vn")?) {
        (Some(name), None) if !name.contains(':') => Ok(Target::Named(project.child(name))),
        (Some(name), None) => {
            let allowed = "a name or domain:project:name is expected";
            Ok(Target::Named(fq_name("name", name, 3, allowed)?))
        }
        (None, Some(vn)) => existing(vn, &project),
        (Some(_), Some(vn)) => Err(invalid(
            "vn",
            vn,
            "name is given too: one of them is enough",
        )),
        (None, None) => Err(CoreError::missing(
            "--ipam-opt name",
            "addresses come from a virtual network, name it: --ipam-opt name=net1; \
             or --ipam-opt vn=NAME for one that must exist",
        )
        .into()),
    }
}

fn existing(vn: &str, project: &FqName) -> Result<Target> {
    if let Ok(id) = vn.parse() {
        return Ok(Target::Id(id));
    }
    if !vn.contains(':') {
        return Ok(Target::Existing(project.child(vn)));
    }
    let allowed = "a UUID, a name or domain:project:name is expected";
    Ok(Target::Existing(fq_name("vn", vn, 3, allowed)?))
}

fn text<'a>(options: &'a Options, key: &str) -> Result<Option<&'a str>> {
    match options.get(key) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(other) => Err(invalid(key, &other.to_string(), "a text is expected")),
    }
}

fn fq_name(key: &str, text: &str, parts: usize, allowed: &str) -> Result<FqName> {
    let name = text.parse::<FqName>().ok();
    let usable = name.filter(|name| name.parts().len() == parts);
    usable.ok_or_else(|| invalid(key, text, allowed))
}

fn invalid(key: &str, value: &str, reason: &str) -> Error {
    CoreError::invalid(format!("IPAM option {key}"), value, reason).into()
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
                expected,
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
    fn what_is_missing_unknown_or_wrong_is_named() {
        for (options, expected) in [
            (serde_json::json!({}), "--ipam-opt name=net1"),
            (
                serde_json::json!({"nmae": "net1"}),
                "did you mean \"name\"?",
            ),
            (serde_json::json!({"name": ""}), "IPAM option name"),
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
