//! What one leg of a chain lacks: pure.

use std::collections::BTreeSet;

use ipnetwork::IpNetwork;

use super::lack::Lack;
use super::objects::{families, own_instance, prefixes};
use super::view::View;
use super::wanted::WantedService;
use crate::api::Resource;
use crate::api::objects::{RoutingInstance, ServiceChainInformation, VirtualMachineInterface};
use crate::service_chain::types::{Direction, Leg as Side, Mode};
use crate::values::Family;
use crate::values::FqName;

/// A service of a chain on one side.
pub(super) struct Leg<'a> {
    pub(super) view: &'a View<'a>,
    /// The place of the service.
    pub(super) index: usize,
    pub(super) side: Side,
}

impl Leg<'_> {
    pub(super) fn service(&self) -> &WantedService {
        &self.view.wanted.services[self.index]
    }

    /// What is missing. What depends on a missing object is left out.
    pub(super) fn lacks(&self) -> Vec<Lack> {
        let wanted = self.view.wanted;
        let objects = self.view.objects;
        let here = wanted.network(self.side);
        let Some(network) = objects.network(here) else {
            return vec![Lack::Network];
        };
        if objects.routing_instance(&own_instance(here)).is_none() {
            return vec![Lack::Visibility];
        }
        let mut lacks = Vec::new();
        let mut policies = network.network_policy_refs.iter();
        if !policies.any(|link| link.is_to(&wanted.policy)) {
            lacks.push(Lack::Policy(wanted.policy.clone()));
        }
        let service = &self.service().name;
        if objects.instance(service).is_none() {
            lacks.push(Lack::ServiceInstance);
        } else if objects.members(service, self.side).next().is_none() {
            lacks.push(Lack::Member);
        }
        let orphans = objects.orphans_of(service, self.side);
        lacks.extend(orphans.into_iter().map(Lack::OrphanedTuple));
        let name = self.view.instance_name(self.index, self.side);
        match name
            .as_ref()
            .and_then(|name| objects.routing_instance(name))
        {
            None => lacks.push(Lack::RoutingInstance(name)),
            Some(instance) => {
                lacks.extend(self.information(instance));
                lacks.extend(self.onward(instance.fq_name()));
                lacks.extend(self.connection());
            }
        }
        lacks
    }

    /// What is missing of how routes enter the routing instance.
    fn information(&self, instance: &RoutingInstance) -> Vec<Lack> {
        let mut lacks = Vec::new();
        if self.service().mode == Mode::Transparent && !self.is_steered(instance.fq_name()) {
            lacks.push(Lack::Steering(instance.fq_name().clone()));
        }
        // Nothing leads back from the right.
        if self.side == Side::Right && self.view.wanted.direction == Direction::LeftToRight {
            return lacks;
        }
        let far = self.far_prefixes();
        let far = far.as_deref();
        let needed = far.map(families).unwrap_or_default();
        for family in Family::ALL {
            let found = match family {
                Family::V4 => &instance.service_chain,
                Family::V6 => &instance.service_chain_v6,
            };
            match found {
                Some(found) if far.is_none() || needed.contains(&family) => {
                    lacks.extend(self.missing_in(found, family, far.unwrap_or_default()));
                }
                None if needed.contains(&family) => {
                    lacks.push(Lack::ServiceChainInformation(family));
                }
                _ => {}
            }
        }
        // Which families a network with shared subnets has is not known here.
        let is_empty = instance.service_chain.is_none() && instance.service_chain_v6.is_none();
        if far.is_none() && is_empty {
            lacks.push(Lack::ServiceChainInformation(Family::V4));
        }
        lacks
    }

    fn far_prefixes(&self) -> Option<Vec<IpNetwork>> {
        let far = match self.side {
            Side::Right => &self.view.wanted.left,
            Side::Left | Side::Management => &self.view.wanted.right,
        };
        match self.view.objects.network(far) {
            Some(network) => prefixes(network),
            None => Some(Vec::new()),
        }
    }

    fn missing_in(
        &self,
        found: &ServiceChainInformation,
        family: Family,
        far: &[IpNetwork],
    ) -> Vec<Lack> {
        let mut lacks = Vec::new();
        let service = &self.service().name;
        if found.service_instance != service.to_string() {
            lacks.push(Lack::OtherService(found.service_instance.clone()));
        }
        let entering: BTreeSet<IpNetwork> =
            found.prefix.iter().filter_map(|p| p.parse().ok()).collect();
        let wanted = far.iter().filter(|p| Family::of(p.ip()) == family);
        let missing = wanted.filter(|prefix| !entering.contains(prefix));
        lacks.extend(missing.map(|prefix| Lack::Prefix(*prefix)));
        if self.service().mode != Mode::Transparent {
            lacks.extend(self.next_hop(found));
        }
        lacks
    }

    /// Whether the address that is the next hop belongs to existing members only.
    fn next_hop(&self, found: &ServiceChainInformation) -> Vec<Lack> {
        let objects = self.view.objects;
        let service = &self.service().name;
        let Some(known) = objects.addresses(service, self.side) else {
            return Vec::new();
        };
        let address = found.service_chain_address;
        let own = known
            .iter()
            .filter(|ip| address.is_some() && ip.address == address);
        let ports: BTreeSet<_> = own
            .flat_map(|ip| &ip.virtual_machine_interface_refs)
            .filter_map(|port| port.uuid)
            .collect();
        let members = objects.members(service, self.side);
        let members: BTreeSet<_> = members.filter_map(Resource::uuid).collect();
        let mut lacks = Vec::new();
        if ports.is_disjoint(&members) {
            lacks.push(Lack::Address(address));
        }
        let strangers = ports.difference(&members);
        lacks.extend(strangers.filter_map(|&interface| {
            let address = address?;
            Some(Lack::AddressWithoutInterface { address, interface })
        }));
        lacks
    }

    /// Whether a member of a transparent service is in its routing instance.
    fn is_steered(&self, instance: &FqName) -> bool {
        let service = &self.service().name;
        let mut members = self.view.objects.members(service, self.side);
        members.any(|port| stands_in(port, instance))
    }

    /// The members whose packets do not reach the next service, or the one before.
    fn onward(&self, instance: &FqName) -> Vec<Lack> {
        let last = self.view.wanted.services.len().saturating_sub(1);
        let end = match self.side {
            Side::Right => last,
            Side::Left | Side::Management => 0,
        };
        if self.index == end || self.service().mode == Mode::Transparent {
            return Vec::new();
        }
        let members = self.view.objects.members(&self.service().name, self.side);
        let astray = members.filter(|port| !continues_in(port, instance));
        let lacks = astray.filter_map(|port| {
            Some(Lack::Onward {
                interface: port.uuid()?,
                instance: instance.clone(),
            })
        });
        lacks.collect()
    }

    /// The connection to the leg before, or to the network's own routing instance, when it is missing.
    fn connection(&self) -> Option<Lack> {
        let (from, to) = self.view.neighbours(self.index, self.side)?;
        let objects = self.view.objects;
        let (left, right) = (
            objects.routing_instance(&from)?,
            objects.routing_instance(&to)?,
        );
        let names = |instance: &RoutingInstance, other: &FqName| {
            let mut refs = instance.routing_instance_refs.iter();
            refs.any(|link| link.is_to(other))
        };
        // Either end may hold the link: it works both ways.
        let is_there = names(left, &to) || names(right, &from);
        (!is_there).then_some(Lack::Connection { from, to })
    }
}

fn continues_in(port: &VirtualMachineInterface, instance: &FqName) -> bool {
    let rules = port.rest.get("vrf_assign_table");
    let rules = rules.and_then(|table| table["vrf_assign_rule"].as_array());
    let mut targets = rules.into_iter().flatten();
    let instance = instance.to_string();
    targets.any(|rule| rule["routing_instance"] == instance.as_str())
}

fn stands_in(port: &VirtualMachineInterface, instance: &FqName) -> bool {
    let refs = port.rest.get("routing_instance_refs");
    let refs = refs.and_then(serde_json::Value::as_array);
    let mut names = refs
        .into_iter()
        .flatten()
        .filter_map(|link| serde_json::from_value::<FqName>(link["to"].clone()).ok());
    names.any(|name| name == *instance)
}
