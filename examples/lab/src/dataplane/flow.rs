//! What may pass between networks, and through which service instances.

use contrail_core::FqName;
use contrail_core::values::Family;
use uuid::Uuid;

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
