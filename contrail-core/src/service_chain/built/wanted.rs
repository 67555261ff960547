//! What the controller should build: the chain of one rule of a policy.

use uuid::Uuid;

use crate::api::Resource;
use crate::api::objects::{NetworkPolicy, PolicyAddress, PolicyRule};
use crate::service_chain::chain::Chain;
use crate::service_chain::types::{Direction, Leg, Mode};
use crate::values::FqName;

/// A chain that the controller should build.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The network policy.
    pub policy: FqName,
    /// The id of its rule, if known.
    pub rule: Option<Uuid>,
    /// The network on the left.
    pub left: FqName,
    /// The network on the right.
    pub right: FqName,
    /// Which way routes are made.
    pub direction: Direction,
    /// The services from left to right.
    pub services: Vec<WantedService>,
}

/// A service of a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedService {
    /// The service instance.
    pub name: FqName,
    /// How it sees the packets.
    pub mode: Mode,
}

impl Wanted {
    /// The chain of a description, and of the policy that exists for it.
    pub fn of_chain(chain: &Chain, policy: Option<&NetworkPolicy>) -> Self {
        let services = chain.services.iter().map(|service| WantedService {
            name: service.name.clone(),
            mode: service.mode,
        });
        let rule = policy.and_then(|policy| policy.entries.policy_rule.first());
        Self {
            policy: chain.policy.clone(),
            rule: rule.and_then(|rule| rule.rule_uuid),
            left: chain.left.clone(),
            right: chain.right.clone(),
            direction: chain.direction,
            services: services.collect(),
        }
    }

    /// The chains of a policy that go through a service instance. The policy does not hold the modes of
    /// the services. Rules whose sides are not two named networks are left out.
    pub fn of_policy(policy: &NetworkPolicy, through: &FqName) -> Vec<Self> {
        let rules = policy.entries.policy_rule.iter();
        let chains = rules.filter_map(|rule| {
            let services = services(rule)?;
            if !services.contains(through) {
                return None;
            }
            let service = |name| WantedService {
                name,
                mode: Mode::default(),
            };
            Some(Self {
                policy: policy.fq_name().clone(),
                rule: rule.rule_uuid,
                left: network(&rule.src_addresses)?,
                right: network(&rule.dst_addresses)?,
                direction: direction(rule),
                services: services.into_iter().map(service).collect(),
            })
        });
        chains.collect()
    }

    /// The network on one side of the chain.
    pub fn network(&self, side: Leg) -> &FqName {
        match side {
            Leg::Right => &self.right,
            Leg::Left | Leg::Management => &self.left,
        }
    }

    /// The networks on both sides.
    pub fn ends(&self) -> [&FqName; 2] {
        [&self.left, &self.right]
    }
}

fn services(rule: &PolicyRule) -> Option<Vec<FqName>> {
    let names = &rule.action_list.as_ref()?.apply_service;
    names.iter().map(|name| name.parse().ok()).collect()
}

fn direction(rule: &PolicyRule) -> Direction {
    match rule.direction == Direction::LeftToRight.as_str() {
        true => Direction::LeftToRight,
        false => Direction::Both,
    }
}

fn network(side: &[PolicyAddress]) -> Option<FqName> {
    let [address] = side else { return None };
    let name: FqName = address.virtual_network.as_ref()?.parse().ok()?;
    (name.parts().len() == 3).then_some(name)
}
