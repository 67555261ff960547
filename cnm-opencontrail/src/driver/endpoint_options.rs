//! `--driver-opt` of `docker network connect`.

use contrail_core::FqName;
use contrail_core::attach::InterfaceOptions;
use contrail_core::service_chain::{Leg, Mode, ServiceRole};

use crate::error::Result;
use crate::options::{DockerOption, Given, Table, items, name_in_project};
use crate::proto::Options;

/// The options.
pub(crate) const ENDPOINT_OPTIONS: Table<Draft> = Table {
    command: "docker network connect --driver-opt",
    kind: "endpoint option",
    label: "option",
    options: &[&[
        DockerOption {
            key: "security-group",
            example: "web,db",
            meaning: "security groups that filter the container's packets, by name in the network's project \
                      or domain:project:name; they must exist",
            read: |draft, given| {
                draft.security_groups = Some(given);
                Ok(())
            },
        },
        DockerOption {
            key: "service",
            example: "fw",
            meaning: "the service instance of which the container's interface becomes a member, created if \
                      it does not exist",
            read: |draft, given| {
                draft.service = Some(given);
                Ok(())
            },
        },
        DockerOption {
            key: "service-interface",
            example: "left",
            meaning: "the interface's place in the service: left, right or management",
            read: |draft, given| {
                draft.interface = Some((given.text().parse()?, given));
                Ok(())
            },
        },
        DockerOption {
            key: "service-mode",
            example: "in-network",
            meaning: "the service's mode: in-network, in-network-nat or transparent",
            read: |draft, given| {
                draft.mode = Some((mode(&given)?, given));
                Ok(())
            },
        },
        DockerOption {
            key: "com.docker.network.endpoint.ifname",
            example: "net0",
            meaning: "refused: Docker names the interfaces of this driver itself",
            read: |_, given| {
                Err(given.refused(
                    "Docker names the interfaces of this driver itself: give their beginning to the network, by \
                     docker network create -o com.docker.network.container_iface_prefix=…",
                ))
            },
        },
        DockerOption {
            key: "com.docker.network.driver.mtu",
            example: "1400",
            meaning: "refused: containers have the MTU of their network",
            read: |_, given| {
                Err(given.refused(
                    "containers have the MTU of their network: docker network create -o mtu=…",
                ))
            },
        },
    ]],
    dockers: &[
        "com.docker.network.portmap",
        "com.docker.network.endpoint.exposedports",
        "com.docker.network.endpoint.macaddress",
        "com.docker.network.endpoint.dnsservers",
        "com.docker.network.endpoint.sysctls",
        "com.docker.network.endpoint.advertise_addr_nmsgs",
        "com.docker.network.endpoint.advertise_addr_ms",
    ],
};

/// What a container's connection to a network is to be in OpenContrail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EndpointOptions {
    /// What the controller is to do for its interface.
    pub(super) interface: InterfaceOptions,
    /// Its part in a service chain.
    pub(super) service: Option<ServiceRole>,
}

/// Options while they are read.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    options: InterfaceOptions,
    security_groups: Option<Given>,
    service: Option<Given>,
    interface: Option<(Leg, Given)>,
    mode: Option<(Mode, Given)>,
}

/// Reads the `--driver-opt`s of an endpoint, which Docker passes among its own options. Security groups
/// and service instances that are named alone are those of `project`.
///
/// # Errors
/// Options that are unknown, have values that cannot be used, or lack another one.
pub(super) fn read(options: &Options, project: &FqName) -> Result<EndpointOptions> {
    let mut draft = Draft::default();
    let ignored = ENDPOINT_OPTIONS.read(options, &mut draft)?;
    if !ignored.is_empty() {
        // A later engine may add some of its own to each container, so this is no warning.
        let ignored = ignored.join(", ");
        log::info!("endpoint options without a meaning here: {ignored}");
    }
    let given = draft.security_groups.as_ref();
    let groups = given.into_iter().flat_map(|given| {
        let group = |name| name_in_project(given, name, project);
        items(given).map(group)
    });
    draft.options.security_groups = groups.collect::<Result<_>>()?;
    Ok(EndpointOptions {
        service: draft.service(project)?,
        interface: draft.options,
    })
}

impl Draft {
    fn service(&self, project: &FqName) -> Result<Option<ServiceRole>> {
        let interface = self.interface.as_ref();
        let mode = self.mode.as_ref();
        let Some(service) = &self.service else {
            let other = interface.map(|(_, given)| given);
            return match other.or(mode.map(|(_, given)| given)) {
                None => Ok(None),
                Some(other) => {
                    Err(other.refused("option service is missing, with the service instance"))
                }
            };
        };
        let instance = name_in_project(service, service.text(), project)?;
        let Some((interface, _)) = interface else {
            let reason = "option service-interface is missing: left, right or management";
            return Err(service.refused(reason));
        };
        Ok(Some(ServiceRole {
            instance,
            interface: *interface,
            mode: mode.map(|(mode, _)| *mode).unwrap_or_default(),
        }))
    }
}

fn mode(given: &Given) -> Result<Mode> {
    let mode = serde_json::from_value(given.text().into());
    mode.map_err(|_| given.refused("in-network, in-network-nat or transparent is expected"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn endpoint_options_stand_among_dockers_own() {
        let project = FqName::new(["default-domain", "admin"]);
        let read = |options: Value| super::read(options.as_object().unwrap(), &project);
        let options = read(json!({
            "com.docker.network.portmap": [], "security-group": "web, default-domain:other:db"
        }));
        let groups = options.unwrap().interface.security_groups;
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
