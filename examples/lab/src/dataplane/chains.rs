//! The kernel objects by which packets pass between networks, directly or through service instances:
//! a pure function, and a part of [`render`](super::render::render).
//!
//! Each leg of a chain has a table of its own that knows only the next hop, asked before the table
//! of the leg's network, and behind it a rule that drops the rest. So whatever is missing or not
//! there yet, no packet gets past a service instance.

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;

use contrail_core::identity::Family;
use ipnetwork::IpNetwork;

use super::model::{Model, Network, Port};
use super::policy::{Action, Flow, Legs, Packets};
use super::render::{Object, Selector, Target};

/// What a service instance itself sends is ordinary traffic of its network.
const OWN_TRAFFIC: u32 = 100;
/// The next hop behind a leg; the flows in their order from here on.
const HOP: u32 = 200;
/// What a leg sends and no chain knows is dropped.
const CLOSED: u32 = 250;
/// Which packets of an endpoint enter which chain; the flows in their order from here on.
const ENTRY: u32 = 251;
/// How many flows have a priority of their own; those behind share the last one.
const FLOWS: usize = 45;

/// The first table that is not a network's.
const FIRST_HOP_TABLE: u32 = 100_001;

/// Adds what the model's flows need, for the ports of `wired`.
pub(super) fn render(model: &Model, wired: &HashSet<String>, objects: &mut BTreeSet<Object>) {
    let is_wired = |port: &Port| port.is_active() && wired.contains(&port.names.twin);
    let mut chains = Chains {
        model,
        ports: model.ports.iter().filter(|port| is_wired(port)).collect(),
        objects,
        tables: FIRST_HOP_TABLE..,
        open: BTreeSet::new(),
    };
    chains.legs();
    for (index, flow) in model.flows.iter().enumerate() {
        let (Some(left), Some(right)) = (model.network(flow.left), model.network(flow.right))
        else {
            continue;
        };
        match &flow.action {
            Action::Deny => {}
            Action::Pass => chains.leak(left, right),
            Action::Chain { legs: Ok(legs), .. } => {
                chains.chain(index.min(FLOWS) as u32, flow, left, right, legs);
            }
            Action::Chain { legs: Err(_), .. } => {}
        }
    }
}

struct Chains<'a> {
    model: &'a Model,
    ports: Vec<&'a Port>,
    objects: &'a mut BTreeSet<Object>,
    tables: std::ops::RangeFrom<u32>,
    /// The pairs of networks whose tables lead to each other already.
    open: BTreeSet<(u32, u32)>,
}

/// A leg that packets leave or enter by.
struct Leg<'a> {
    device: &'a str,
    addresses: &'a [IpAddr],
}

impl Chains<'_> {
    fn leg(&self, id: uuid::Uuid) -> Option<Leg<'_>> {
        let port = self.ports.iter().find(|port| port.id == id)?;
        Some(Leg {
            device: &port.names.twin,
            addresses: &port.addresses,
        })
    }

    /// What every leg has, whether its chain is up or not.
    fn legs(&mut self) {
        for port in self
            .ports
            .iter()
            .filter(|port| self.model.legs.contains(&port.id))
        {
            let device = port.names.twin.clone();
            for address in &port.addresses {
                self.objects.insert(Object::Rule {
                    priority: OWN_TRAFFIC,
                    family: Family::of(*address),
                    selector: Selector::DeviceFrom(device.clone(), *address),
                    table: port.table,
                });
            }
            for family in Family::ALL {
                self.objects.insert(Object::Rule {
                    priority: CLOSED,
                    family,
                    selector: Selector::Device(device.clone()),
                    table: None,
                });
            }
        }
    }

    /// Two networks know each other's members.
    fn leak(&mut self, left: &Network, right: &Network) {
        for (own, other) in [(left, right), (right, left)] {
            if self.open.insert((own.table, other.table)) {
                self.members(own.table, other, own);
            }
        }
    }

    /// The members of a network in a table; errors about them come from a gateway of `speaker`.
    fn members(&mut self, table: u32, network: &Network, speaker: &Network) {
        let members = self
            .ports
            .iter()
            .filter(|port| port.table == Some(network.table));
        for port in members {
            for address in &port.addresses {
                self.objects.insert(Object::Route {
                    table,
                    destination: IpNetwork::from(*address),
                    target: Target::Port {
                        device: port.names.twin.clone(),
                        source: speaker.gateway(Family::of(*address)),
                    },
                });
            }
        }
    }

    /// The prefixes of a network in a table, by way of a leg.
    fn prefixes(&mut self, table: u32, network: &Network, leg: uuid::Uuid) {
        let Some(leg) = self.leg(leg) else {
            return;
        };
        let routes: Vec<Object> = network
            .prefixes
            .iter()
            .filter_map(|prefix| {
                let family = Family::of(prefix.network());
                let gateway = leg.addresses.iter().find(|a| Family::of(**a) == family)?;
                let device = leg.device.to_owned();
                Some(Object::Route {
                    table,
                    destination: *prefix,
                    target: Target::Via {
                        device,
                        gateway: *gateway,
                    },
                })
            })
            .collect();
        self.objects.extend(routes);
    }

    fn chain(&mut self, order: u32, flow: &Flow, left: &Network, right: &Network, legs: &[Legs]) {
        let (Some(first), Some(last)) = (legs.first(), legs.last()) else {
            return;
        };
        // Behind one that translates addresses, answers are addressed to its own right port.
        let there_and_back = !legs.iter().any(|legs| legs.nat);
        self.entry(order, left, right, &flow.packets, first.left);
        if there_and_back {
            self.entry(order, right, left, &flow.packets.reversed(), last.right);
        }
        for (index, hop) in legs.iter().enumerate() {
            let table = self.next_table();
            match legs.get(index + 1) {
                Some(next) => self.prefixes(table, right, next.left),
                None => self.members(table, right, right),
            }
            self.behind(order, hop.right, &flow.packets, table);
            let table = self.next_table();
            match index.checked_sub(1).and_then(|before| legs.get(before)) {
                Some(before) => self.prefixes(table, left, before.right),
                None => self.members(table, left, left),
            }
            self.behind(order, hop.left, &flow.packets.reversed(), table);
        }
    }

    fn next_table(&mut self) -> u32 {
        // Millions are left.
        self.tables.next().unwrap_or(FIRST_HOP_TABLE)
    }

    /// What leaves a service instance by a leg goes on by a table.
    fn behind(&mut self, order: u32, leg: uuid::Uuid, packets: &Packets, table: u32) {
        let Some(device) = self.leg(leg).map(|leg| leg.device.to_owned()) else {
            return;
        };
        for family in Family::ALL {
            self.objects.insert(Object::Rule {
                priority: HOP + order,
                family,
                selector: Selector::Packets(device.clone(), None, packets.clone()),
                table: Some(table),
            });
        }
    }

    /// Packets of a network's endpoints to another network enter a chain by its first leg. All
    /// packets do so by the network's own table, some by a table that only they look at.
    fn entry(
        &mut self,
        order: u32,
        from: &Network,
        to: &Network,
        packets: &Packets,
        leg: uuid::Uuid,
    ) {
        if packets.are_all() && self.open.insert((from.table, to.table)) {
            return self.prefixes(from.table, to, leg);
        }
        let table = self.next_table();
        self.prefixes(table, to, leg);
        let endpoints = self
            .ports
            .iter()
            .filter(|port| port.table == Some(from.table) && !self.model.legs.contains(&port.id));
        for port in endpoints {
            for prefix in &to.prefixes {
                let device = port.names.twin.clone();
                self.objects.insert(Object::Rule {
                    priority: ENTRY + order,
                    family: Family::of(prefix.network()),
                    selector: Selector::Packets(device, Some(*prefix), packets.clone()),
                    table: Some(table),
                });
            }
        }
    }
}
