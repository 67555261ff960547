//! The path of the packets of a ping: measured, and shown as text and as a drawing.

mod drawing;
mod measure;
#[cfg(test)]
mod sample;
mod text;

pub use drawing::draw;
pub use measure::measure;
pub use text::text;

use crate::members::{Interface, Member};

/// A measured path.
#[derive(Clone, Debug)]
pub struct Path {
    /// The member that sends the requests.
    pub from: End,
    /// The services in the order in which the requests pass them.
    pub services: Vec<Service>,
    /// The member that sends the replies.
    pub to: End,
    /// The TTL of the requests on arrival, and that of the replies.
    pub ttl: u8,
    /// The median of the round-trip times in microseconds.
    pub round_trip: u128,
}

/// An end of the path.
#[derive(Clone, Debug)]
pub struct End {
    /// The name of the member.
    pub name: &'static str,
    /// What it is.
    pub kind: &'static str,
    /// Its interface.
    pub interface: Interface,
}

/// A service on the path.
#[derive(Clone, Debug)]
pub struct Service {
    /// The name of the member.
    pub name: &'static str,
    /// What it is.
    pub kind: &'static str,
    /// Its interfaces: the one that receives the requests first.
    pub legs: [Leg; 2],
}

/// An interface of a service, and what was captured on it.
#[derive(Clone, Debug)]
pub struct Leg {
    /// The interface.
    pub interface: Interface,
    /// The packets.
    pub seen: Seen,
}

/// The packets on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The requests.
    pub requests: Crossing,
    /// The replies.
    pub replies: Crossing,
}

/// Packets of one kind on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// How many the member received.
    pub received: usize,
    /// How many it sent.
    pub sent: usize,
    /// The TTL of the last one.
    pub ttl: u8,
}

impl End {
    fn new(member: &Member, network: &str) -> Result<Self, crate::failure::Failure> {
        Ok(Self {
            name: member.name,
            kind: member.kind,
            interface: member.interface(network)?.clone(),
        })
    }
}
