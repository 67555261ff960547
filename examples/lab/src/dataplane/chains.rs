//! The kernel objects by which packets pass between networks, directly or through service instances:
//! a pure function, and a part of [`render`](super::render::render).
//!
//! Each leg of a chain has a table of its own that knows only the next hop, asked before the table
//! of the leg's network, and behind it a rule that drops the rest. So whatever is missing or not
//! there yet, no packet gets past a service instance.

use std::collections::{BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use contrail_core::MacAddr;
use contrail_core::values::Family;
use ipnetwork::IpNetwork;
use uuid::Uuid;

use super::flow::{Action, Flow, Legs, Mode, Packets};
use super::model::{Model, Network, Port};
use super::object::{Object, Selector, Target};
use super::wire::ROUTER_MAC;

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

/// What is sent through a wire is addressed to its other end: to the router by another name. The two
/// ends need different MAC addresses, or the bridge in a container would keep what it is to pass on.
const OTHER_MAC: MacAddr = MacAddr([0x00, 0x00, 0x5e, 0x00, 0x01, 0x01]);
const OTHER_END: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 1, 2)),
    IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0x5e, 2)),
];

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
            Action::Chain {
                legs: Ok(legs),
                leads_back,
                ..
            } => {
                let order = index.min(FLOWS) as u32;
                chains.chain(order, flow, (left, right), legs, *leads_back);
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

/// The way into a service instance by one of its legs.
#[derive(Clone, Copy)]
struct Door<'a> {
    leg: Uuid,
    service: &'a Legs,
}

impl Legs {
    /// The way in for packets from the left.
    fn left_door(&self) -> Door<'_> {
        Door {
            leg: self.left,
            service: self,
        }
    }

    /// The way in for packets from the right.
    fn right_door(&self) -> Door<'_> {
        Door {
            leg: self.right,
            service: self,
        }
    }
}

impl Chains<'_> {
    fn port(&self, id: Uuid) -> Option<&Port> {
        self.ports.iter().copied().find(|port| port.id == id)
    }

    /// What the ends of a wire are to each other.
    fn wire(&mut self, legs: &Legs) {
        let (Some(left), Some(right)) = (self.port(legs.left), self.port(legs.right)) else {
            return;
        };
        let device = |port: &Port| port.names.twin.clone();
        let (left, right) = (device(left), device(right));
        for (device, mac) in [(&left, OTHER_MAC), (&right, MacAddr(ROUTER_MAC))] {
            for address in OTHER_END {
                self.objects.insert(Object::Neighbour {
                    device: device.clone(),
                    address,
                    mac,
                });
            }
        }
        self.objects.insert(Object::Mac {
            device: right,
            mac: OTHER_MAC,
        });
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

    /// The prefixes of a network in a table, by way of a service instance.
    fn prefixes(&mut self, table: u32, network: &Network, door: Door<'_>) {
        let Some(port) = self.port(door.leg) else {
            return;
        };
        let gateways = match door.service.mode {
            Mode::Transparent => &OTHER_END[..],
            Mode::InNetwork | Mode::InNetworkNat => &port.addresses,
        };
        let routes: Vec<Object> = network
            .prefixes
            .iter()
            .filter_map(|prefix| {
                let family = Family::of(prefix.network());
                let gateway = gateways.iter().find(|a| Family::of(**a) == family)?;
                Some(Object::Route {
                    table,
                    destination: *prefix,
                    target: Target::Via {
                        device: port.names.twin.clone(),
                        gateway: *gateway,
                    },
                })
            })
            .collect();
        self.objects.extend(routes);
    }

    /// A chain, and the way back if its right network knows it.
    fn chain(
        &mut self,
        order: u32,
        flow: &Flow,
        (left, right): (&Network, &Network),
        legs: &[Legs],
        leads_back: bool,
    ) {
        let (Some(first), Some(last)) = (legs.first(), legs.last()) else {
            return;
        };
        // Behind one that translates addresses, answers are addressed to its own right port.
        let translates = legs.iter().any(|legs| legs.mode == Mode::InNetworkNat);
        for wire in legs.iter().filter(|legs| legs.mode == Mode::Transparent) {
            self.wire(wire);
        }
        self.entry(order, left, right, &flow.packets, first.left_door());
        if leads_back && !translates {
            self.entry(
                order,
                right,
                left,
                &flow.packets.reversed(),
                last.right_door(),
            );
        }
        for (index, hop) in legs.iter().enumerate() {
            let table = self.next_table();
            match legs.get(index + 1) {
                Some(next) => self.prefixes(table, right, next.left_door()),
                None => self.members(table, right, right),
            }
            self.behind(order, hop.right, &flow.packets, table);
            let table = self.next_table();
            match index.checked_sub(1).and_then(|before| legs.get(before)) {
                Some(before) => self.prefixes(table, left, before.right_door()),
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
    fn behind(&mut self, order: u32, leg: Uuid, packets: &Packets, table: u32) {
        let Some(device) = self.port(leg).map(|port| port.names.twin.clone()) else {
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
        door: Door<'_>,
    ) {
        if packets.are_all() && self.open.insert((from.table, to.table)) {
            return self.prefixes(from.table, to, door);
        }
        let table = self.next_table();
        self.prefixes(table, to, door);
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
