//! `--driver-opt` of `docker network connect`.

use contrail_core::FqName;
use contrail_core::service_chain::ServiceRole;
use contrail_core::settings::nearest;

use super::options::{fq_name, invalid, text};
use crate::error::{Error, Result};
use crate::proto::{DOCKERS, Options};

/// The options of `docker network connect --driver-opt`.
pub const ENDPOINT_OPTIONS: [&str; 4] = [
    "security-group",
    "service",
    "service-interface",
    "service-mode",
];

/// What a container's connection to a network is to be in OpenContrail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EndpointOptions {
    /// The security groups that filter its packets.
    pub(super) security_groups: Vec<FqName>,
    /// Its part in a service chain.
    pub(super) service: Option<ServiceRole>,
}

/// Reads the `--driver-opt`s of an endpoint, which stand among Docker's own options. Security groups
/// and service instances that are named alone are those of `project`.
pub(super) fn read(options: &Options, project: &FqName) -> Result<EndpointOptions> {
    let unknown =
        |key: &&String| !ENDPOINT_OPTIONS.contains(&key.as_str()) && !key.starts_with(DOCKERS);
    if let Some(key) = options.keys().find(unknown) {
        return Err(Error::UnknownOption {
            kind: "endpoint option",
            key: key.clone(),
            nearest: nearest(key, ENDPOINT_OPTIONS),
            known: ENDPOINT_OPTIONS.to_vec(),
        });
    }
    let key = "security-group";
    let list = text(options, key)?.map(|list| list.split(','));
    let group = |name: &str| match name.contains(':') {
        true => fq_name(key, name, 3),
        false if name.is_empty() => Err(invalid(key, &name.into(), "a name is expected")),
        false => Ok(project.child(name)),
    };
    let groups = list.into_iter().flatten().map(|name| group(name.trim()));
    Ok(EndpointOptions {
        security_groups: groups.collect::<Result<_>>()?,
        service: service(options, project)?,
    })
}

fn service(options: &Options, project: &FqName) -> Result<Option<ServiceRole>> {
    let (name, interface, mode) = (
        text(options, "service")?,
        text(options, "service-interface")?,
        text(options, "service-mode")?,
    );
    let Some(name) = name else {
        let Some(other) = interface.or(mode) else {
            return Ok(None);
        };
        let reason = "option service is missing, with the service instance";
        return Err(invalid("service-…", &other.into(), reason));
    };
    let instance = match name.contains(':') {
        true => fq_name("service", name, 3)?,
        false => project.child(name),
    };
    let Some(interface) = interface else {
        let reason = "option service-interface is missing: left, right or management";
        return Err(invalid("service", &name.into(), reason));
    };
    let mode = mode.map(|mode| {
        serde_json::from_value(mode.into()).map_err(|_| {
            let allowed = "in-network, in-network-nat or transparent is expected";
            invalid("service-mode", &mode.into(), allowed)
        })
    });
    Ok(Some(ServiceRole {
        instance,
        interface: interface.parse()?,
        mode: mode.transpose()?.unwrap_or_default(),
    }))
}

#[cfg(test)]
mod tests {
    use contrail_core::service_chain::{Leg, Mode};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn endpoint_options_stand_among_dockers_own() {
        let project = FqName::new(["default-domain", "admin"]);
        let read = |options: Value| super::read(options.as_object().unwrap(), &project);
        let options = read(json!({
            "com.docker.network.portmap": [], "security-group": "web, default-domain:other:db"
        }));
        let groups = options.unwrap().security_groups;
        let names: Vec<String> = groups.iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            ["default-domain:admin:web", "default-domain:other:db"]
        );
        let options = read(json!({"service": "fw", "service-interface": "right"})).unwrap();
        let role = ServiceRole {
            instance: project.child("fw"),
            interface: Leg::Right,
            mode: Mode::InNetwork,
        };
        assert_eq!(options.service, Some(role));
        for (options, text) in [
            (
                json!({"security-gruop": "web"}),
                "did you mean \"security-group\"",
            ),
            (json!({"security-group": "a,"}), "a name is expected"),
            (json!({"security-group": 5}), "a text is expected"),
            (json!({"service": "fw"}), "service-interface is missing"),
            (
                json!({"service-interface": "left"}),
                "option service is missing",
            ),
            (
                json!({"service": "fw", "service-interface": "up"}),
                "left, right or management",
            ),
            (
                json!({"service": "fw", "service-interface": "left", "service-mode": "x"}),
                "in-network-nat",
            ),
        ] {
            let error = read(options).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
