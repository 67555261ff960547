//! Check: is an attachment still what its result says, in the kernel, the API and the agent?

use std::path::PathBuf;

use ipnetwork::IpNetwork;
use uuid::Uuid;

use crate::api::objects::{InstanceIp, VirtualMachineInterface};
use crate::attach::attacher::Attacher;
use crate::attach::error::Result;
use crate::kernel::{Link, Route};
use crate::parallel;
use crate::service_chain::{SETTLE, ServiceRole, ServiceRoles, tuple_in};
use crate::values::Deadline;
use crate::values::FqName;
use crate::values::MacAddr;
use crate::values::{Family, identity};

/// An attachment as its result describes it. What the result does not say is not checked, nor is the MTU: what
/// is called after an attachment, such as CNI's `tuning`, sets another one, and the result keeps the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The container's id, as its runtime calls it.
    pub container: String,
    /// The name of the interface in the container.
    pub ifname: String,
    /// The container's network namespace.
    pub netns: PathBuf,
    /// The virtual network.
    pub network: FqName,
    /// The Ethernet address of the container's end.
    pub mac: Option<MacAddr>,
    /// The addresses, with the length of their subnet's prefix.
    pub addresses: Vec<IpNetwork>,
    /// Routes that go through this interface or another one of `interfaces`.
    pub routes: Vec<Route>,
    /// The names of all interfaces that the container has by the result.
    pub interfaces: Vec<String>,
    /// The role that it has taken in a service.
    pub service: Option<ServiceRole>,
}

impl Attacher {
    /// The differences from the expected state, a line each; empty when there are none. Two
    /// requests to the API, one more for a second address, and one to the agent. For a member of a service
    /// one more and those of [`ServiceRoles::built`]; the controller gets a few seconds to build its chains.
    ///
    /// # Errors
    /// When the namespace, the API or the agent cannot be asked.
    pub fn check(&self, expected: &Expected, deadline: Deadline) -> Result<Vec<String>> {
        let node = self.host.node();
        let id = identity::interface(node, &expected.container, &expected.ifname);
        let ((objects, port), kernel) = parallel::both(
            || {
                let agent = self.backend.agent.until(deadline);
                parallel::both(
                    || self.check_objects(expected, id, deadline),
                    || agent.get(id),
                )
            },
            || self.check_kernel(expected, id),
        );
        let mut differences = kernel?;
        differences.extend(objects?);
        differences.extend(self.check_chains(expected, deadline)?);
        if port?.is_none() {
            differences.push(format!(
                "the vRouter agent has no port {id}, or no configuration of it"
            ));
        }
        Ok(differences)
    }

    /// Whether the interface is in a port tuple of the current service instance: one that was deleted
    /// under its tuples and created again no longer has them.
    fn check_membership(
        &self,
        role: &ServiceRole,
        (id, interface): (Uuid, &VirtualMachineInterface),
        deadline: Deadline,
    ) -> Result<Option<String>> {
        let service = &role.instance;
        let Some(tuple) = tuple_in(interface, service) else {
            let text = format!("VM interface {id} is not a member of service instance {service}");
            return Ok(Some(text));
        };
        let roles = ServiceRoles::new(self.client(deadline), &self.host.maker.program);
        let is_child = match tuple.uuid {
            Some(tuple) => roles.children_of(service)?.contains(&tuple),
            None => false,
        };
        Ok((!is_child).then(|| {
            let tuple = tuple.referent();
            format!("service instance {service} has lost port tuple {tuple} of VM interface {id}")
        }))
    }

    fn check_chains(&self, expected: &Expected, deadline: Deadline) -> Result<Vec<String>> {
        let Some(role) = &expected.service else {
            return Ok(Vec::new());
        };
        let roles = ServiceRoles::new(self.client(deadline), &self.host.maker.program);
        let unbuilt = roles.unbuilt(&role.instance, deadline.at_most(SETTLE))?;
        Ok(unbuilt.iter().map(ToString::to_string).collect())
    }

    fn check_kernel(&self, expected: &Expected, id: Uuid) -> Result<Vec<String>> {
        let dataplane = &self.backend.dataplane;
        let netns = dataplane.open_netns(&expected.netns)?;
        let link = dataplane.link(Some(&netns), &expected.ifname)?;
        let mut routes: Vec<Route> = Vec::new();
        for name in &expected.interfaces {
            if let Some(link) = dataplane.link(Some(&netns), name)? {
                routes.extend(link.routes);
            }
        }
        let host_ifname = identity::host_ifname(id);
        let host = dataplane.link(None, &host_ifname)?;
        let mut differences = of_link(expected, link.as_ref());
        differences.extend(of_routes(expected, &routes));
        differences.extend(of_host(&host_ifname, host.as_ref(), id));
        Ok(differences)
    }

    fn check_objects(
        &self,
        expected: &Expected,
        id: Uuid,
        deadline: Deadline,
    ) -> Result<Vec<String>> {
        let client = self.client(deadline);
        let families: Vec<Family> = Family::ALL
            .into_iter()
            .filter(|&family| {
                expected
                    .addresses
                    .iter()
                    .any(|a| Family::of(a.ip()) == family)
            })
            .collect();
        let ip = |family| {
            let ip = identity::instance_ip(id, family);
            client.get_opt::<InstanceIp>(ip)
        };
        let (interface, ips) = parallel::both(
            || client.get_opt::<VirtualMachineInterface>(id),
            || parallel::map(families, ip),
        );
        let mut differences = Vec::new();
        match interface? {
            None => differences.push(format!("the API has no VM interface {id}")),
            Some(interface) => {
                let network = interface.virtual_network_refs.first();
                let wanted = &expected.network;
                if !network.is_some_and(|network| network.is_to(wanted)) {
                    let found = network.map_or("none".to_owned(), |it| it.referent().to_string());
                    differences.push(format!(
                        "VM interface {id} is in virtual network {found}, not in {wanted}"
                    ));
                }
                if interface.virtual_machine_refs.is_empty() {
                    differences.push(format!("VM interface {id} has no virtual machine"));
                }
                if let Some(role) = &expected.service {
                    differences.extend(self.check_membership(role, (id, &interface), deadline)?);
                }
            }
        }
        let ips: Vec<Option<InstanceIp>> = ips.into_iter().collect::<crate::Result<_>>()?;
        let known: Vec<_> = ips
            .into_iter()
            .flatten()
            .filter_map(|ip| ip.address)
            .collect();
        let absent = expected
            .addresses
            .iter()
            .filter(|a| !known.contains(&a.ip()));
        differences.extend(absent.map(|a| format!("the API has no instance IP with {}", a.ip())));
        Ok(differences)
    }
}

fn of_link(expected: &Expected, link: Option<&Link>) -> Vec<String> {
    let name = &expected.ifname;
    let Some(link) = link else {
        return vec![format!("the container has no interface {name}")];
    };
    let mut differences = Vec::new();
    if !link.up {
        differences.push(format!("interface {name} is down"));
    }
    if let Some(mac) = expected.mac.filter(|mac| link.mac != Some(*mac)) {
        let found = link.mac.map_or("none".to_owned(), |mac| mac.to_string());
        differences.push(format!(
            "interface {name} has Ethernet address {found}, not {mac}"
        ));
    }
    let absent = expected
        .addresses
        .iter()
        .filter(|a| !link.addresses.contains(a));
    differences.extend(absent.map(|a| format!("interface {name} has no address {a}")));
    differences
}

/// Later plugins and the user may have added routes; one of the result must be there.
fn of_routes(expected: &Expected, routes: &[Route]) -> Vec<String> {
    let is_there = |wanted: &Route| {
        routes.iter().any(|route| {
            route.destination == wanted.destination
                && (wanted.gateway.is_none() || route.gateway == wanted.gateway)
        })
    };
    let absent = expected.routes.iter().filter(|route| !is_there(route));
    absent
        .map(|route| match route.gateway {
            Some(gateway) => format!("there is no route to {} via {gateway}", route.destination),
            None => format!("there is no route to {}", route.destination),
        })
        .collect()
}

fn of_host(name: &str, link: Option<&Link>, id: Uuid) -> Vec<String> {
    match link {
        None => vec![format!("the host has no interface {name}")],
        Some(link) if link.alias.as_deref() != Some(id.to_string().as_str()) => {
            vec![format!(
                "interface {name} of the host does not belong to VM interface {id}"
            )]
        }
        Some(link) if !link.up => vec![format!("interface {name} of the host is down")],
        Some(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected() -> Expected {
        let gateway = "10.1.1.1".parse().unwrap();
        Expected {
            container: "c".into(),
            ifname: "eth0".into(),
            netns: PathBuf::new(),
            network: FqName::new(["d", "p", "n"]),
            mac: Some("02:00:00:00:00:01".parse().unwrap()),
            addresses: vec!["10.1.1.2/24".parse().unwrap()],
            routes: vec![Route::default_via(gateway)],
            interfaces: vec!["eth0".into()],
            service: None,
        }
    }

    fn link() -> Link {
        let expected = expected();
        Link {
            name: "eth0".into(),
            index: 2,
            mac: expected.mac,
            mtu: Some(1400),
            up: true,
            alias: Some(Uuid::nil().to_string()),
            addresses: expected.addresses,
            routes: expected.routes,
        }
    }

    #[test]
    fn the_expected_state_has_no_difference_and_neither_has_additional_state() {
        let mut link = link();
        link.mtu = Some(9000);
        link.addresses.push("10.9.9.9/32".parse().unwrap());
        link.routes
            .push(Route::new("10.8.0.0/16".parse().unwrap(), None));
        assert_eq!(of_link(&expected(), Some(&link)), [""; 0]);
        assert_eq!(of_routes(&expected(), &link.routes), [""; 0]);
        assert_eq!(of_host("tap0", Some(&link), Uuid::nil()), [""; 0]);
    }

    #[test]
    fn every_difference_is_named() {
        let changed = Link {
            mac: None,
            up: false,
            alias: None,
            addresses: Vec::new(),
            ..link()
        };
        assert_eq!(
            of_link(&expected(), Some(&changed)),
            [
                "interface eth0 is down",
                "interface eth0 has Ethernet address none, not 02:00:00:00:00:01",
                "interface eth0 has no address 10.1.1.2/24",
            ]
        );
        assert_eq!(
            of_link(&expected(), None),
            ["the container has no interface eth0"]
        );
        assert_eq!(
            of_routes(&expected(), &[]),
            ["there is no route to 0.0.0.0/0 via 10.1.1.1"]
        );
        for (link, text) in [
            (None, "has no interface tap0"),
            (Some(&changed), "does not belong to"),
        ] {
            let difference = of_host("tap0", link, Uuid::nil());
            assert!(difference[0].contains(text), "{difference:?}");
        }
    }
}
