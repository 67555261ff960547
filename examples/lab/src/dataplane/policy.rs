//! What the policies of the networks mean together, as the schema transformer works it out: which
//! networks may talk, about what, and through which service instances. A pure function.

use std::collections::{BTreeMap, BTreeSet};

use contrail_core::FqName;
use uuid::Uuid;

use super::flow::{Action, Flow, Legs, Mode, Packets, Protocol};
use super::model::{Network, Port};
use crate::view::{ChainView, ConfigView, PolicyRule, Ports, ServiceInstanceView, meant};

/// The packets of a rule: some for each pair of its port ranges. None if the lab does not know its
/// protocol.
fn packets_of(rule: &PolicyRule) -> Vec<Packets> {
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
    let packets = |(source_ports, destination_ports)| Packets {
        protocol,
        source_ports,
        destination_ports,
    };
    pairs.map(packets).collect()
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
        let all = packets_of(rule);
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
