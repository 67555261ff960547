//! A service chain with all its names written out: what a description means in a project.

use std::collections::BTreeSet;

use super::description::Member;
use super::membership::instance::properties;
use super::template;
use super::types::{Direction, Leg, Mode, Ports, Protocol};
use crate::api::objects::{
    ActionList, InstanceProperties, NetworkPolicy, PolicyAddress, PolicyEntries, PolicyRule,
    ServiceTemplate,
};
use crate::values::FqName;

/// A chain of services between two networks.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// Its name.
    pub name: String,
    /// The network policy that makes it.
    pub policy: FqName,
    /// The network on the left.
    pub left: FqName,
    /// The network on the right.
    pub right: FqName,
    /// Which side may open connections.
    pub direction: Direction,
    /// The protocol that goes through.
    pub protocol: Protocol,
    /// The ports that it comes from.
    pub source_ports: Ports,
    /// The ports that it goes to.
    pub destination_ports: Ports,
    /// The place of the policy among those of both networks.
    pub sequence: Option<i32>,
    /// The services, from left to right.
    pub services: Vec<ChainService>,
}

/// One service of a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainService {
    /// The service instance.
    pub name: FqName,
    /// How it sees the packets.
    pub mode: Mode,
    /// The service template that was asked for.
    pub template: Option<FqName>,
    /// The network of its left ports.
    pub left: FqName,
    /// The network of its right ports.
    pub right: FqName,
    /// The network of its ports for management, when it has such.
    pub management: Option<FqName>,
    /// What does the work.
    pub members: Vec<Member>,
}

impl Chain {
    /// The networks on both sides.
    pub fn ends(&self) -> [&FqName; 2] {
        [&self.left, &self.right]
    }

    /// The projects of the services and of the policy.
    pub(super) fn projects(&self) -> BTreeSet<FqName> {
        let services = self.services.iter().map(|service| &service.name);
        let names = services.chain([&self.policy]);
        names.filter_map(FqName::parent).collect()
    }

    /// The policy as it should be.
    pub(super) fn wanted_policy(&self) -> NetworkPolicy {
        let side = |network: &FqName| vec![PolicyAddress::network(network.to_string())];
        let services = self.services.iter().map(|service| service.name.to_string());
        let rule = PolicyRule {
            direction: self.direction.as_str().to_owned(),
            protocol: self.protocol.as_str().to_owned(),
            src_addresses: side(&self.left),
            src_ports: self.source_ports.ranges(),
            dst_addresses: side(&self.right),
            dst_ports: self.destination_ports.ranges(),
            action_list: Some(ActionList {
                simple_action: Some("pass".to_owned()),
                apply_service: services.collect(),
                ..ActionList::default()
            }),
            ..PolicyRule::default()
        };
        let entries = PolicyEntries {
            policy_rule: vec![rule],
            ..PolicyEntries::default()
        };
        NetworkPolicy::new(self.policy.clone(), entries)
    }
}

impl ChainService {
    /// The network of one of the roles.
    pub fn network(&self, leg: Leg) -> Option<&FqName> {
        match leg {
            Leg::Left => Some(&self.left),
            Leg::Right => Some(&self.right),
            Leg::Management => self.management.as_ref(),
        }
    }

    /// The roles that its members play, with their networks.
    pub fn legs(&self) -> impl Iterator<Item = (Leg, &FqName)> {
        let network = |leg| Some((leg, self.network(leg)?));
        Leg::ALL.into_iter().filter_map(network)
    }

    /// The template: the one that was asked for, or the one of this project for such services.
    pub(super) fn template_name(&self) -> FqName {
        let default = || template::default_name(&self.name, self.mode, self.management.is_some());
        self.template.clone().unwrap_or_else(default)
    }

    /// The properties of the service instance, in the order of its template.
    pub(super) fn wanted_properties(&self, template: &ServiceTemplate) -> InstanceProperties {
        properties(template, |leg| self.network(leg))
    }
}
