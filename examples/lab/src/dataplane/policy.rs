//! What the policies of the networks mean together, as the schema transformer works it out: which
//! networks may talk, about what, and through which service instances. A pure function.

use std::collections::{BTreeMap, BTreeSet};

use contrail_core::FqName;
use contrail_core::values::Family;
use uuid::Uuid;

use super::model::{Network, Port};
use crate::view::{ChainView, ConfigView, PolicyRule, Ports, ServiceInstanceView, meant};

/// What one rule of a policy means between two networks that both carry the policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// The id of the rule.
    pub rule: String,
    /// The policy.
    pub policy: FqName,
    /// The table of the network that flows come from.
    pub left: u32,
    /// The table of the network that flows go to.
    pub right: u32,
    /// Whether flows from right to left are meant, too.
    pub both_ways: bool,
    /// Which packets, seen from left to right.
    pub packets: Packets,
    /// What happens to them.
    pub action: Action,
}

/// Which packets a rule means.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Packets {
    /// The protocol; `None` for all.
    pub protocol: Option<Protocol>,
    /// The source's ports; `None` for all.
    pub source_ports: Option<(u16, u16)>,
    /// The destination's ports; `None` for all.
    pub destination_ports: Option<(u16, u16)>,
}

/// A protocol of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// ICMP, that of the packet's family.
    Icmp,
    /// Any other one by its number.
    Number(u8),
}

/// What happens to the packets of a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// They are dropped.
    Deny,
    /// They pass.
    Pass,
    /// They pass through service instances.
    Chain {
        /// The service instances, from left to right.
        services: Vec<FqName>,
        /// Their legs; or why the chain is closed.
        legs: Result<Vec<Legs>, Vec<String>>,
        /// Whether the right network knows the way back.
        leads_back: bool,
    },
}

/// The two ports of a service instance that packets pass through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Legs {
    /// The port in the left network.
    pub left: Uuid,
    /// The port in the right network.
    pub right: Uuid,
    /// How it passes them on.
    pub mode: Mode,
}

/// How a service instance passes packets on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As a router with an address in both networks.
    InNetwork,
    /// As a router that translates addresses: what comes back is addressed to its right port.
    InNetworkNat,
    /// As a wire.
    Transparent,
}

impl Legs {
    /// The other one of the two.
    pub fn other(&self, leg: Uuid) -> Uuid {
        if leg == self.left {
            self.right
        } else {
            self.left
        }
    }
}

impl Packets {
    /// The same packets on their way back.
    pub fn reversed(&self) -> Self {
        Self {
            source_ports: self.destination_ports,
            destination_ports: self.source_ports,
            ..self.clone()
        }
    }

    /// Whether these are all packets.
    pub fn are_all(&self) -> bool {
        *self == Self::default()
    }

    /// The packets of a rule: some for each pair of its port ranges. None if the lab does not know its
    /// protocol.
    fn of(rule: &PolicyRule) -> Vec<Self> {
        let Some(protocol) = protocol(&rule.protocol) else {
            return Vec::new();
        };
        let ranges = |ports: &Ports| match ports.as_slice() {
            [] => vec![None],
            some => some.iter().map(|p| Some((*p.start(), *p.end()))).collect(),
        };
        let destinations = ranges(&rule.destination_ports);
        let pairs = ranges(&rule.source_ports).into_iter().flat_map(|source| {
            let destinations = destinations.clone().into_iter();
            destinations.map(move |destination| (source, destination))
        });
        let packets = |(source_ports, destination_ports)| Self {
            protocol,
            source_ports,
            destination_ports,
        };
        pairs.map(packets).collect()
    }
}

/// The protocol of a rule: `Some(None)` for all; `None` if the lab does not know it.
fn protocol(name: &str) -> Option<Option<Protocol>> {
    Some(match name {
        "any" => None,
        "icmp" | "icmp6" | "1" | "58" => Some(Protocol::Icmp),
        "tcp" => Some(Protocol::Number(6)),
        "udp" => Some(Protocol::Number(17)),
        "sctp" => Some(Protocol::Number(132)),
        number => Some(Protocol::Number(number.parse().ok()?)),
    })
}

impl Protocol {
    /// Its number in packets of a family.
    pub fn number(self, family: Family) -> u8 {
        match (self, family) {
            (Protocol::Icmp, Family::V4) => 1,
            (Protocol::Icmp, Family::V6) => 58,
            (Protocol::Number(number), _) => number,
        }
    }
}

/// All flows between networks of this host, in the order of the left network's rules, and the ports
/// that are legs of some chain, be it up or not: nothing else may leave through them.
pub fn resolve(
    view: &ConfigView,
    networks: &[Network],
    ports: &[Port],
) -> (Vec<Flow>, BTreeSet<Uuid>) {
    let world = World {
        instances: view
            .service_instances
            .iter()
            .map(|i| (&i.fq_name, i))
            .collect(),
        ports: ports.iter().map(|port| (port.id, port)).collect(),
        chains: &view.chains,
    };
    let here = |number: usize| {
        let id = view.networks[number].uuid;
        networks.iter().find(|network| network.uuid == id)
    };
    let mut flows: Vec<Flow> = Vec::new();
    let mut legs = BTreeSet::new();
    for (left, right, rule) in meant(&view.networks) {
        let (Some(left), Some(right)) = (here(left), here(right)) else {
            continue;
        };
        let all = Packets::of(rule);
        if all.is_empty() {
            continue;
        }
        legs.extend(rule.services.iter().flat_map(|name| world.legs_of(name)));
        let action = world.action(rule, left, right);
        flows.extend(all.into_iter().map(|packets| Flow {
            rule: rule.id.clone(),
            policy: rule.policy.clone(),
            left: left.table,
            right: right.table,
            both_ways: rule.both_ways,
            packets,
            action: action.clone(),
        }));
    }
    (flows, legs)
}

struct World<'a> {
    instances: BTreeMap<&'a FqName, &'a ServiceInstanceView>,
    ports: BTreeMap<Uuid, &'a Port>,
    /// The chains that the controller has built.
    chains: &'a [ChainView],
}

impl World<'_> {
    fn legs_of(&self, instance: &FqName) -> Vec<Uuid> {
        let tuples = self
            .instances
            .get(instance)
            .map(|instance| &instance.port_tuples);
        let members = tuples.into_iter().flatten().flatten();
        members
            .filter(|(role, _)| *role != "management")
            .map(|(_, port)| *port)
            .collect()
    }

    fn action(&self, rule: &PolicyRule, left: &Network, right: &Network) -> Action {
        if !rule.pass {
            return Action::Deny;
        }
        if rule.services.is_empty() {
            return Action::Pass;
        }
        let mut legs = Vec::new();
        let mut obstacles = Vec::new();
        for service in &rule.services {
            match self.legs(service, left, right) {
                Ok(found) => legs.push(found),
                Err(obstacle) => obstacles.push(obstacle),
            }
        }
        let is_built = |chain: &&ChainView| {
            chain.rules.contains(&rule.id) && (chain.left, chain.right) == (left.uuid, right.uuid)
        };
        let built = self.chains.iter().find(is_built);
        if built.is_none() && obstacles.is_empty() {
            obstacles.push("the controller has not built it".to_owned());
        }
        Action::Chain {
            services: rule.services.clone(),
            leads_back: built.is_some_and(|chain| chain.leads_back),
            legs: if obstacles.is_empty() {
                Ok(legs)
            } else {
                Err(obstacles)
            },
        }
    }

    /// The legs of the first port tuple that is complete, or what is missing.
    fn legs(&self, name: &FqName, left: &Network, right: &Network) -> Result<Legs, String> {
        let Some(instance) = self.instances.get(name) else {
            return Err(format!("service instance {name} does not exist"));
        };
        let mode = match instance.mode.as_str() {
            "in-network" => Mode::InNetwork,
            "in-network-nat" => Mode::InNetworkNat,
            "transparent" => Mode::Transparent,
            "" => return Err(format!("service instance {name} has no template")),
            mode => {
                return Err(format!(
                    "service instance {name} has the unknown mode {mode}"
                ));
            }
        };
        let mut obstacle = format!("service instance {name} has no port tuple");
        for tuple in &instance.port_tuples {
            // What a wire connects may be in networks of its own.
            let leg = |role: &str, network| {
                let network = Some(network).filter(|_| mode != Mode::Transparent);
                self.leg(name, tuple, role, network)
            };
            match (leg("left", left), leg("right", right)) {
                (Ok(left), Ok(right)) => return Ok(Legs { left, right, mode }),
                (Err(missing), _) | (_, Err(missing)) => obstacle = missing,
            }
        }
        Err(obstacle)
    }

    fn leg(
        &self,
        instance: &FqName,
        tuple: &BTreeMap<String, Uuid>,
        role: &str,
        network: Option<&Network>,
    ) -> Result<Uuid, String> {
        let Some(id) = tuple.get(role) else {
            return Err(format!("service instance {instance} has no {role} port"));
        };
        let Some(port) = self.ports.get(id) else {
            return Err(format!(
                "the {role} port {id} of {instance} is not on this host"
            ));
        };
        if !port.is_active() {
            return Err(format!(
                "the {role} port {id} of {instance} is {}",
                port.state
            ));
        }
        if let Some(network) = network.filter(|network| port.table != Some(network.table)) {
            let name = &network.name;
            return Err(format!(
                "the {role} port {id} of {instance} is not in {name}"
            ));
        }
        Ok(*id)
    }
}
