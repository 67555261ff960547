//! Finding the ports of a service's members among those of its networks: pure.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::chain::{Chain, ChainService};
use super::description::{Member, Port};
use super::membership::port::network as port_network;
use super::problem::Problem;
use super::snapshot::Snapshot;
use super::types::Leg;
use crate::api::Resource;
use crate::api::objects::VirtualMachineInterface;
use crate::ownership::mark::{CONTAINER, IFNAME};
use crate::ownership::names::{SHORT_ID, split_interface_name, with_host};
use crate::values::FqName;

/// A member whose ports were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The name of its port tuple: the id of its virtual machine.
    pub(super) tuple: String,
    /// What people call it.
    pub(super) label: String,
    /// Its ports, in the order of the roles.
    pub(super) ports: Vec<(Leg, Uuid)>,
}

/// The members of each service that were found; for the others there are problems.
pub(super) fn find(
    chain: &Chain,
    snapshot: &Snapshot,
    problems: &mut Vec<Problem>,
) -> Vec<Vec<Found>> {
    let mut used = BTreeSet::new();
    let mut all = Vec::new();
    for service in &chain.services {
        let mut found = Vec::new();
        for member in &service.members {
            let search = Search {
                service,
                member,
                snapshot,
            };
            match search.run() {
                Ok(member) => found.push(member),
                Err(new) => problems.extend(new),
            }
        }
        for (_, port) in found.iter().flat_map(|member: &Found| &member.ports) {
            if !used.insert(*port) {
                let what = format!("VM interface {port} is in it twice");
                problems.push(Problem::Cycle { what });
            }
        }
        all.push(found);
    }
    all
}

struct Search<'a> {
    service: &'a ChainService,
    member: &'a Member,
    snapshot: &'a Snapshot,
}

impl Search<'_> {
    fn run(&self) -> Result<Found, Vec<Problem>> {
        // A missing network is a problem of its own.
        let is_known =
            |(_, network): &(Leg, &FqName)| self.snapshot.networks.contains_key(*network);
        if !self.service.legs().all(|leg| is_known(&leg)) {
            return Err(Vec::new());
        }
        if self.member.selects() && !self.service.legs().any(|(_, n)| self.any_in(n)) {
            return Err(vec![self.no_member()]);
        }
        let legs = self.service.legs();
        let (ports, problems): (Vec<_>, Vec<_>) = legs
            .map(|(leg, network)| self.leg(leg, network).map(|port| (leg, port)))
            .partition(Result::is_ok);
        let problems: Vec<Problem> = problems.into_iter().filter_map(Result::err).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let ports: Vec<(Leg, Uuid)> = ports.into_iter().filter_map(Result::ok).collect();
        match ports.first() {
            Some((_, first)) => Ok(self.found(*first, ports)),
            // A service without legs: no port, so no member.
            None => Err(vec![self.no_member()]),
        }
    }

    fn no_member(&self) -> Problem {
        Problem::NoMember {
            service: self.service.name.to_string(),
            member: self.member.to_string(),
            networks: self.service.legs().map(|(_, n)| n.clone()).collect(),
        }
    }

    fn found(&self, first: Uuid, ports: Vec<(Leg, Uuid)>) -> Found {
        let port = self.snapshot.interfaces.get(&first);
        let machine = port.and_then(|port| self.snapshot.machine_of(port));
        let id = machine.and_then(Resource::uuid).unwrap_or(first);
        let name = machine.and_then(|machine| machine.meta.display_name.clone());
        Found {
            tuple: id.to_string(),
            label: name.unwrap_or_else(|| self.member.to_string()),
            ports,
        }
    }

    /// The one port for a role.
    fn leg(&self, leg: Leg, network: &FqName) -> Result<Uuid, Problem> {
        if let Some(Port::Id(id)) = self.member.port(leg) {
            return self.given(*id, leg, network);
        }
        let candidates: Vec<(&Uuid, &VirtualMachineInterface)> = self
            .in_network(network)
            .filter(|(_, port)| match self.member.port(leg) {
                Some(Port::Named(name)) => interface_name(port) == Some(name),
                _ => true,
            })
            .collect();
        match candidates.as_slice() {
            [] => Err(self.missing(leg, network)),
            [(id, _)] => Ok(**id),
            several => Err(Problem::AmbiguousLeg {
                service: self.service.name.to_string(),
                member: self.member.to_string(),
                leg,
                candidates: several
                    .iter()
                    .map(|(id, port)| describe(id, port))
                    .collect(),
            }),
        }
    }

    fn given(&self, id: Uuid, leg: Leg, network: &FqName) -> Result<Uuid, Problem> {
        let Some(port) = self.snapshot.interfaces.get(&id) else {
            return Err(self.missing(leg, network));
        };
        match port_network(port) {
            Some(actual) if actual != network => Err(Problem::WrongNetwork {
                service: self.service.name.to_string(),
                interface: id,
                leg,
                actual: actual.clone(),
                wanted: network.clone(),
            }),
            _ => Ok(id),
        }
    }

    fn missing(&self, leg: Leg, network: &FqName) -> Problem {
        Problem::MissingLeg {
            service: self.service.name.to_string(),
            member: self.member.to_string(),
            leg,
            network: network.clone(),
        }
    }

    fn any_in(&self, network: &FqName) -> bool {
        self.in_network(network).next().is_some()
    }

    /// The ports in a network that belong to the member.
    fn in_network(
        &self,
        network: &FqName,
    ) -> impl Iterator<Item = (&Uuid, &VirtualMachineInterface)> {
        let ports = self.snapshot.interfaces.iter();
        let ports = ports.filter(move |(_, port)| port_network(port) == Some(network));
        let ports = ports.filter(|(_, port)| self.belongs(port));
        ports.map(|(id, port)| (id, &**port))
    }

    fn belongs(&self, port: &VirtualMachineInterface) -> bool {
        let machine = self.snapshot.machine_of(port);
        let marks = [Some(&port.meta), machine.map(|machine| &machine.meta)];
        let is_marked = |is_it: &dyn Fn(&str) -> bool| {
            let values = marks.into_iter().flatten();
            let mut values = values.filter_map(|meta| meta.annotations.get(CONTAINER));
            values.any(is_it)
        };
        if let Some(wanted) = &self.member.container {
            let of_machine = machine.and_then(|machine| machine.meta.display_name.as_deref());
            let of_port = port.meta.display_name.as_deref();
            let of_port = of_port.and_then(|name| Some(split_interface_name(name)?.0));
            return [of_machine, of_port].contains(&Some(wanted.as_str()))
                || is_marked(&|container| container == wanted);
        }
        if let Some(wanted) = &self.member.container_id {
            return is_marked(&|container| {
                container == wanted
                    || wanted.len() >= SHORT_ID && container.starts_with(wanted.as_str())
            });
        }
        let machine = port.virtual_machine_refs.first();
        self.member.vm.is_some() && machine.and_then(|machine| machine.uuid) == self.member.vm
    }
}

/// The interface's name in its container.
fn interface_name(port: &VirtualMachineInterface) -> Option<&str> {
    let annotation = port.meta.annotations.get(IFNAME);
    let shown = port.meta.display_name.as_deref();
    annotation.or_else(|| shown.and_then(|name| Some(split_interface_name(name)?.1)))
}

/// A port as people can recognize it.
fn describe(id: &Uuid, port: &VirtualMachineInterface) -> String {
    let name = port.meta.display_name.as_deref().unwrap_or_default();
    format!("{id} ({})", with_host(name, &port.meta))
}
