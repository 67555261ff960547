//! A chain compared with what the controller has of it: pure.

use uuid::Uuid;

use super::lack::Lack;
use super::objects::{Objects, is_multi_policy, own_instance};
use super::wanted::Wanted;
use crate::api::Resource;
use crate::api::objects::AclRule;
use crate::service_chain::types::{Leg as Side, Mode};
use crate::values::FqName;

/// A chain and what exists of it.
pub(super) struct View<'a> {
    pub(super) wanted: &'a Wanted,
    pub(super) objects: &'a Objects,
    /// The id that the controller gave the chain, when there is any trace of it.
    pub(super) id: Option<Uuid>,
}

impl<'a> View<'a> {
    pub(super) fn new(wanted: &'a Wanted, objects: &'a Objects) -> Self {
        Self {
            wanted,
            objects,
            id: chain_id(wanted, objects),
        }
    }

    /// The legs of the chain: each service on both sides, but one that hides the left network has no
    /// routing instance on its right.
    pub(super) fn legs(&self) -> Vec<(usize, Side)> {
        let services = self.wanted.services.iter().enumerate();
        let legs = services.flat_map(|(index, service)| {
            let sides: &[Side] = match service.mode {
                Mode::InNetworkNat => &[Side::Left],
                Mode::InNetwork | Mode::Transparent => &[Side::Left, Side::Right],
            };
            sides.iter().map(move |side| (index, *side))
        });
        legs.collect()
    }

    /// The name of the routing instance of a service on one side.
    pub(super) fn instance_name(&self, index: usize, side: Side) -> Option<FqName> {
        let service = &self.wanted.services[index];
        let name = format!("service-{}-{}", self.id?, suffix(&service.name));
        Some(self.wanted.network(side).child(name))
    }

    /// The routing instances on the left and on the right of the place before a leg that exchange
    /// routes.
    pub(super) fn neighbours(&self, index: usize, side: Side) -> Option<(FqName, FqName)> {
        let own = self.instance_name(index, side)?;
        let services = &self.wanted.services;
        match side {
            Side::Right if index + 1 == services.len() => {
                let end = own_instance(&self.wanted.right);
                self.ends_are_connected().then_some((own, end))
            }
            Side::Left if index == 0 => {
                let end = own_instance(&self.wanted.left);
                self.ends_are_connected().then_some((end, own))
            }
            // It learns the left network's routes by a route target.
            Side::Left if services[index - 1].mode == Mode::InNetworkNat => None,
            Side::Left => Some((self.instance_name(index - 1, Side::Right)?, own)),
            Side::Right | Side::Management => None,
        }
    }

    fn ends_are_connected(&self) -> bool {
        let ends = self.wanted.ends().map(|end| self.objects.network(end));
        !ends
            .iter()
            .flatten()
            .all(|network| is_multi_policy(network))
    }

    /// The lack of the rule by which packets of an end enter the chain, if it is missing.
    pub(super) fn missing_rule(&self, end: Side) -> Option<Lack> {
        let network = self.wanted.network(end);
        self.objects.network(network)?;
        let is_there = entrance(self.wanted, self.objects, end).is_some();
        (!is_there).then(|| Lack::AclRule(network.clone()))
    }
}

/// The part of a routing instance's name that identifies a service.
fn suffix(service: &FqName) -> String {
    service.parts().join("_")
}

/// The id that the controller gave the chain: the rules name it before the routing instances exist.
fn chain_id(wanted: &Wanted, objects: &Objects) -> Option<Uuid> {
    let entrance = |end| entrance(wanted, objects, end);
    entrance(Side::Left)
        .or_else(|| entrance(Side::Right))
        .or_else(|| {
            let first = wanted.services.first()?;
            let mut instances = objects.of_network(&wanted.left);
            instances.find_map(|instance| id_in(instance.fq_name().name(), &first.name))
        })
}

/// The id of the chain in the rule by which packets of an end enter it.
fn entrance(wanted: &Wanted, objects: &Objects, end: Side) -> Option<Uuid> {
    let service = match end {
        Side::Right => wanted.services.last()?,
        Side::Left | Side::Management => wanted.services.first()?,
    };
    let network = wanted.network(end);
    let mut rules = objects.rules(network).filter(|rule| is_of(wanted, rule));
    rules.find_map(|rule| {
        let target = rule.action_list.assign_routing_instance.as_ref()?;
        let name = target.strip_prefix(&format!("{network}:"))?;
        id_in(name, &service.name)
    })
}

/// Whether the controller made the rule of the wanted chain's one.
fn is_of(wanted: &Wanted, rule: &AclRule) -> bool {
    let is = |address: &Option<String>, network: &FqName| {
        address.as_deref() == Some(network.to_string().as_str())
    };
    let ends = &rule.match_condition;
    is(&ends.src_address.virtual_network, &wanted.left)
        && is(&ends.dst_address.virtual_network, &wanted.right)
        && (wanted.rule.is_none() || rule.rule_uuid.is_none() || rule.rule_uuid == wanted.rule)
}

/// The id in the name of a service's routing instance.
fn id_in(name: &str, service: &FqName) -> Option<Uuid> {
    let id = name
        .strip_prefix("service-")?
        .strip_suffix(&suffix(service))?;
    id.strip_suffix('-')?.parse().ok()
}
