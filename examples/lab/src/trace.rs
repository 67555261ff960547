//! Questions for the way of a packet, in the words of people, and the answers.

use std::collections::HashSet;
use std::net::IpAddr;

use contrail_core::values::Family;
use contrail_core::{Error, FqName, Result};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::dataplane::Snapshot;
use crate::dataplane::model::{Model, Port};
use crate::dataplane::trace::{self, End, Hop, Packet};

/// Which packet is meant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Who sends it: an address, a container's name, the id of a VM interface or its host end.
    pub source: String,
    /// The destination: the same, or an address that no port has.
    pub destination: String,
    /// `icmp`, `tcp`, `udp`, `sctp` or a number.
    #[serde(default)]
    pub protocol: Protocol,
    /// The source's port.
    #[serde(default)]
    pub source_port: u16,
    /// The destination's port.
    #[serde(default)]
    pub destination_port: u16,
}

/// A protocol by its name or number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Protocol(String);

/// The way of a packet, for people and programs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trace {
    /// The source's address.
    pub source: IpAddr,
    /// The destination's address.
    pub destination: IpAddr,
    /// The protocol's number.
    pub protocol: u8,
    /// The ports of containers that the packet passes.
    pub hops: Vec<TracedHop>,
    /// How it ends.
    pub end: End,
}

/// The packet at the port of a container.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TracedHop {
    /// The port.
    pub port: Uuid,
    /// The container's name.
    pub display_name: String,
    /// The host end of its pair.
    pub host_ifname: String,
    /// Its network.
    pub network: Option<FqName>,
    /// The service instance whose leg the port is.
    pub service: Option<FqName>,
    /// Whether the container sends the packet; otherwise it gets it.
    pub sent: bool,
    /// The packet's TTL there.
    pub ttl: u8,
    /// The routing table by which it went on.
    pub table: Option<u32>,
}

impl Default for Protocol {
    fn default() -> Self {
        Self("icmp".to_owned())
    }
}

impl std::str::FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let protocol = Self(text.to_lowercase());
        match protocol.number(Family::V4) {
            Some(_) => Ok(protocol),
            None => Err("icmp, tcp, udp, sctp or a number up to 255 is expected".to_owned()),
        }
    }
}

impl Protocol {
    fn number(&self, family: Family) -> Option<u8> {
        match (self.0.as_str(), family) {
            ("icmp", Family::V4) => Some(1),
            ("icmp", Family::V6) => Some(58),
            ("tcp", _) => Some(6),
            ("udp", _) => Some(17),
            ("sctp", _) => Some(132),
            (number, _) => number.parse().ok(),
        }
    }
}

impl Question {
    /// The answer at one moment.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the ends or the protocol are unknown or ambiguous.
    pub fn answer(&self, snapshot: &Snapshot) -> Result<Trace> {
        let model = &snapshot.model;
        let from = port(model, "source", &self.source)?;
        let (source, destination) = self.addresses(model, from)?;
        let number = self.protocol.number(Family::of(destination));
        let protocol = number.ok_or_else(|| {
            let expected = "icmp, tcp, udp, sctp or a number up to 255 is expected";
            Error::invalid("protocol", &self.protocol.0, expected)
        })?;
        let packet = Packet {
            source,
            destination,
            protocol,
            source_port: self.source_port,
            destination_port: self.destination_port,
        };
        let wired = wired(snapshot);
        let way = trace::trace(model, &wired, from, packet);
        let hops = way.hops.iter().filter_map(|hop| traced(model, hop));
        Ok(Trace {
            source,
            destination,
            protocol,
            hops: hops.collect(),
            end: match snapshot.namespace {
                Some(_) => way.end,
                None => End::Dropped("this lab forwards nothing".to_owned()),
            },
        })
    }

    /// Both addresses, of one family.
    fn addresses(&self, model: &Model, from: &Port) -> Result<(IpAddr, IpAddr)> {
        let given = |text: &str| text.parse::<IpAddr>().ok();
        let destinations = match given(&self.destination) {
            Some(address) => vec![address],
            None => port(model, "destination", &self.destination)?
                .addresses
                .clone(),
        };
        let sources = match given(&self.source) {
            Some(address) => vec![address],
            None => from.addresses.clone(),
        };
        let pairs = sources.iter().flat_map(|source| {
            let destinations = destinations.iter();
            destinations.map(|destination| (*source, *destination))
        });
        let mut same = pairs.filter(|(a, b)| a.is_ipv4() == b.is_ipv4());
        same.next().ok_or_else(|| {
            let expected = "an address of the source's family is expected";
            Error::invalid("destination", &self.destination, expected)
        })
    }
}

/// The port that is meant.
fn port<'a>(model: &'a Model, which: &'static str, text: &str) -> Result<&'a Port> {
    let address = text.parse::<IpAddr>().ok();
    let is_meant = |port: &&Port| {
        port.id.to_string() == text
            || port.host_ifname == text
            || port.display_name == text
            || address.is_some_and(|address| port.addresses.contains(&address))
    };
    let found: Vec<&Port> = model.ports.iter().filter(is_meant).collect();
    match found[..] {
        [one] => Ok(one),
        [] => Err(Error::invalid(
            which,
            text,
            "the address, name, VM interface or host end of a port is expected, see contrail-lab status",
        )),
        _ => {
            let ids: Vec<&str> = found.iter().map(|port| port.host_ifname.as_str()).collect();
            let expected = format!("several ports have it: give one of {}", ids.join(", "));
            Err(Error::invalid(which, text, expected))
        }
    }
}

/// The twins of the ports that are connected to the router.
fn wired(snapshot: &Snapshot) -> HashSet<String> {
    let problem = |port: &&Port| {
        let state = snapshot.ports.get(&port.id);
        state.is_some_and(|state| state.problem.is_some())
    };
    let ports = snapshot.model.ports.iter().filter(|port| !problem(port));
    ports.map(|port| port.names.twin.clone()).collect()
}

fn traced(model: &Model, hop: &Hop) -> Option<TracedHop> {
    let port = model.port(hop.port)?;
    Some(TracedHop {
        port: port.id,
        display_name: port.display_name.clone(),
        host_ifname: port.host_ifname.clone(),
        network: port.network.clone(),
        service: hop.service.clone(),
        sent: hop.sent,
        ttl: hop.ttl,
        table: hop.table,
    })
}
