//! The way of a packet through the router, hop by hop: a pure function of the same values that the
//! kernel gets.
//!
//! It answers for the first packet of a flow; that service instances pass on what they get, and that
//! containers send with a TTL of 64, is taken for granted.

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;

use contrail_core::FqName;
use contrail_core::values::Family;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::flow::{Action, Flow, Legs, Mode, Packets};
use super::model::{Model, Network, Port};
use super::object::{Object, Selector, Target};
use super::render::render;

/// The TTL with which containers send.
const FIRST_TTL: u8 = 64;

/// More hops than any chain has.
const MOST_HOPS: usize = 64;

/// A packet. The ports are those of protocols that have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Its source.
    pub source: IpAddr,
    /// Its destination.
    pub destination: IpAddr,
    /// The number of its protocol.
    pub protocol: u8,
    /// The source's port.
    pub source_port: u16,
    /// The destination's port.
    pub destination_port: u16,
}

/// The way of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The ports that it passes, in their order.
    pub hops: Vec<Hop>,
    /// How it ends.
    pub end: End,
}

/// A packet at the port of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The port.
    pub port: Uuid,
    /// Whether the container sends it; otherwise it gets it.
    pub sent: bool,
    /// The TTL there.
    pub ttl: u8,
    /// The service instance whose leg the port is.
    pub service: Option<FqName>,
    /// The routing table by which the packet went on from here.
    pub table: Option<u32>,
}

/// How a way ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// A container with the destination's address gets it.
    Delivered,
    /// The router itself has the address: a gateway or DNS server.
    Router,
    /// It is dropped, and why.
    Dropped(String),
}

/// The way of a packet that a container sends by its port. `wired` are the twins that exist.
pub fn trace(model: &Model, wired: &HashSet<String>, from: &Port, packet: Packet) -> Way {
    let mut walk = Walk {
        model,
        objects: render(model, wired),
        packet,
        ttl: FIRST_TTL,
        hops: Vec::new(),
    };
    let end = walk.go(from);
    Way {
        hops: walk.hops,
        end,
    }
}

struct Walk<'a> {
    model: &'a Model,
    objects: BTreeSet<Object>,
    packet: Packet,
    ttl: u8,
    hops: Vec<Hop>,
}

/// Where the router sends a packet.
enum Decision<'a> {
    /// Into a table's route.
    Route(u32, &'a Target),
    /// A rule drops it, or no table knows its destination.
    Nowhere,
}

impl<'a> Walk<'a> {
    fn go(&mut self, from: &'a Port) -> End {
        let mut at = from;
        while self.hops.len() < MOST_HOPS {
            self.hop(at, true);
            let network = at.table.and_then(|table| self.model.network(table));
            let Some(network) = network.filter(|_| at.is_active()) else {
                return End::Dropped(format!("the port is {}", at.state));
            };
            let is_leg = self.model.legs.contains(&at.id);
            if !is_leg && !at.addresses.contains(&self.packet.source) {
                let source = self.packet.source;
                return End::Dropped(format!("the port does not own the source {source}"));
            }
            let (table, device) = match self.decide(&at.names.twin) {
                Decision::Route(_, Target::Local) => return End::Router,
                Decision::Route(
                    table,
                    Target::Port { device, .. } | Target::Via { device, .. },
                ) => (table, device.clone()),
                Decision::Route(_, Target::Blackhole) | Decision::Nowhere => {
                    return End::Dropped(self.reason(network, is_leg));
                }
            };
            let is_onlink = contains(network, self.packet.destination);
            if !is_onlink && !is_leg && !self.is_let_through(network) {
                return End::Dropped(self.reason(network, is_leg));
            }
            if let Some(hop) = self.hops.last_mut() {
                hop.table = Some(table);
            }
            // Within a network it costs nothing, as behind a switch.
            if !is_onlink {
                self.ttl -= 1;
            }
            let twin = |port: &&Port| port.names.twin == device;
            let Some(next) = self.model.ports.iter().find(twin) else {
                return End::Dropped(format!("the port at {device} has gone"));
            };
            self.hop(next, false);
            if next.addresses.contains(&self.packet.destination) {
                return End::Delivered;
            }
            let Some(beyond) = self.through_service(next) else {
                return End::Dropped("a port gets what is not its own".to_owned());
            };
            at = beyond;
        }
        End::Dropped(format!("it goes in circles: {MOST_HOPS} hops"))
    }

    fn hop(&mut self, port: &Port, sent: bool) {
        let service = self.service_of(port.id).map(|(name, ..)| name.clone());
        self.hops.push(Hop {
            port: port.id,
            sent,
            ttl: self.ttl,
            service,
            table: None,
        });
    }

    /// The other leg of the service instance that a leg belongs to; the packet has passed it then.
    fn through_service(&mut self, leg: &Port) -> Option<&'a Port> {
        let (_, legs) = self.service_of(leg.id)?;
        let other = self.model.port(legs.other(leg.id))?;
        if legs.mode != Mode::Transparent {
            self.ttl = self.ttl.checked_sub(1)?;
        }
        if legs.mode == Mode::InNetworkNat && legs.left == leg.id {
            let family = Family::of(self.packet.source);
            self.packet.source = other.addresses_of(family).next()?;
        }
        Some(other)
    }

    /// The service instance of a leg, with its legs, in a chain that is up.
    fn service_of(&self, leg: Uuid) -> Option<(&'a FqName, Legs)> {
        let chains = self
            .model
            .flows
            .iter()
            .filter_map(|flow| match &flow.action {
                Action::Chain {
                    services,
                    legs: Ok(legs),
                    ..
                } => Some(services.iter().zip(legs)),
                _ => None,
            });
        let mut services = chains.flatten();
        let found = services.find(|(_, legs)| legs.left == leg || legs.right == leg);
        found.map(|(name, legs)| (name, *legs))
    }

    /// What the kernel's rules and tables decide for the packet that enters by a device.
    fn decide(&self, device: &str) -> Decision<'_> {
        let family = Family::of(self.packet.destination);
        let rules = self.objects.iter().filter_map(|object| match object {
            Object::Rule {
                family: of,
                selector,
                table,
                ..
            } if *of == family && self.selects(selector, device) => Some(*table),
            _ => None,
        });
        for table in rules {
            let Some(table) = table else {
                return Decision::Nowhere;
            };
            if let Some(target) = self.longest_match(table) {
                return Decision::Route(table, target);
            }
        }
        Decision::Nowhere
    }

    fn selects(&self, selector: &Selector, device: &str) -> bool {
        match selector {
            Selector::Device(by) => by == device,
            Selector::DeviceFrom(by, source) => by == device && *source == self.packet.source,
            Selector::Packets(by, to, packets) => {
                let to = to.is_none_or(|to| to.contains(self.packet.destination));
                by == device && to && is_meant(packets, &self.packet)
            }
            Selector::OwnMarked(_) | Selector::OwnFrom(_) => false,
        }
    }

    fn longest_match(&self, wanted: u32) -> Option<&Target> {
        let routes = self.objects.iter().filter_map(|object| match object {
            Object::Route {
                table,
                destination,
                target,
            } if *table == wanted && destination.contains(self.packet.destination) => {
                Some((destination.prefix(), target))
            }
            _ => None,
        });
        routes
            .max_by_key(|(prefix, _)| *prefix)
            .map(|(_, target)| target)
    }

    /// Whether the packet filter accepts the packet of an endpoint to another network.
    fn is_let_through(&self, from: &Network) -> bool {
        match self.flow(from).map(|flow| &flow.action) {
            Some(Action::Pass | Action::Chain { legs: Ok(_), .. }) => true,
            Some(Action::Deny | Action::Chain { legs: Err(_), .. }) | None => false,
        }
    }

    /// The first flow that the packet belongs to.
    fn flow(&self, from: &Network) -> Option<&'a Flow> {
        let mut flows = self.flows(from);
        flows.find_map(|(flow, packets)| is_meant(&packets, &self.packet).then_some(flow))
    }

    /// The flows from a network to one that has the packet's destination.
    fn flows(&self, from: &Network) -> impl Iterator<Item = (&'a Flow, Packets)> {
        let (model, destination, table) = (self.model, self.packet.destination, from.table);
        let leads = move |to: u32| {
            let to = model.network(to);
            to.is_some_and(|to| contains(to, destination))
        };
        model.flows.iter().filter_map(move |flow| {
            if flow.left == table && leads(flow.right) {
                return Some((flow, flow.packets.clone()));
            }
            let back = flow.both_ways && flow.right == table && leads(flow.left);
            back.then(|| (flow, flow.packets.reversed()))
        })
    }

    /// Why the packet goes nowhere from a network.
    fn reason(&self, from: &Network, is_leg: bool) -> String {
        let destination = self.packet.destination;
        let name = &from.name;
        if contains(from, destination) {
            return format!("no port in {name} has the address {destination}");
        }
        if is_leg {
            return "the chain does not lead on from this leg".to_owned();
        }
        let Some(flow) = self.flow(from) else {
            return self.without_flow(from);
        };
        let policy = &flow.policy;
        match &flow.action {
            Action::Deny => format!("policy {policy} denies it"),
            Action::Chain {
                legs: Err(missing), ..
            } => format!(
                "the chain of policy {policy} is closed: {}",
                missing.join("; ")
            ),
            Action::Chain {
                leads_back: false, ..
            } if flow.right == from.table => {
                format!("the chain of policy {policy} leads to {name}, not back from there")
            }
            Action::Pass | Action::Chain { .. } => {
                format!("policy {policy} lets it pass, but no port has the address {destination}")
            }
        }
    }

    fn without_flow(&self, from: &Network) -> String {
        let (name, destination) = (&from.name, self.packet.destination);
        if self.flows(from).next().is_some() {
            return format!(
                "no rule of a policy from {name} to {destination} is about such packets"
            );
        }
        let leads = |flow: &&Flow| {
            let left = self.model.network(flow.left);
            flow.right == from.table && left.is_some_and(|left| contains(left, destination))
        };
        if let Some(one_way) = self.model.flows.iter().find(leads) {
            let policy = &one_way.policy;
            return format!("policy {policy} leads to {name}, not from there");
        }
        let mut others = self.model.networks.iter();
        match others.find(|other| other.table != from.table && contains(other, destination)) {
            Some(to) => format!("no policy on both {name} and {} lets it pass", to.name),
            None => format!("no network with a port here has the address {destination}"),
        }
    }
}

fn contains(network: &Network, address: IpAddr) -> bool {
    network.prefixes.iter().any(|p| p.contains(address))
}

/// Whether these packets include this one.
fn is_meant(packets: &Packets, packet: &Packet) -> bool {
    let family = Family::of(packet.destination);
    let inside = |range: Option<(u16, u16)>, port: u16| {
        range.is_none_or(|(first, last)| (first..=last).contains(&port))
    };
    let protocol = packets.protocol.map(|protocol| protocol.number(family));
    protocol.is_none_or(|protocol| protocol == packet.protocol)
        && inside(packets.source_ports, packet.source_port)
        && inside(packets.destination_ports, packet.destination_port)
}
