//! The objects of the kernel that forward packets, as values.

use std::net::IpAddr;

use contrail_core::MacAddr;
use contrail_core::values::Family;
use ipnetwork::IpNetwork;

use super::flow::Packets;

/// One object of the kernel, complete enough to be added and deleted. The order of the variants is
/// the order in which they are added; they are deleted the other way round.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// An address on the loopback device: what the router itself says must come from somewhere.
    Address(IpAddr),
    /// Another MAC address of a twin than the router's.
    Mac {
        /// The twin.
        device: String,
        /// The address.
        mac: MacAddr,
    },
    /// The fixed MAC address of a port's address: nothing is ever asked towards a container.
    Neighbour {
        /// The twin.
        device: String,
        /// The container's address.
        address: IpAddr,
        /// The container's MAC address.
        mac: MacAddr,
    },
    /// An IPv6 address that a twin answers solicitations for. (IPv4 needs none: ARP is answered
    /// wherever a route leads out by another device.)
    Proxy {
        /// The twin.
        device: String,
        /// The other's address.
        address: IpAddr,
    },
    /// A route.
    Route {
        /// Its table.
        table: u32,
        /// Where it leads to.
        destination: IpNetwork,
        /// By which way.
        target: Target,
    },
    /// A rule that selects a table by where a packet comes from.
    Rule {
        /// Smaller is asked first.
        priority: u32,
        /// The family of packets.
        family: Family,
        /// What must match.
        selector: Selector,
        /// The table, or `None`: drop.
        table: Option<u32>,
    },
}

/// The way of a route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Nowhere, without a word.
    Blackhole,
    /// The router itself.
    Local,
    /// A container.
    Port {
        /// Its twin.
        device: String,
        /// The gateway's address: the router's errors come from it.
        source: Option<IpAddr>,
    },
    /// A service instance.
    Via {
        /// The twin of its leg.
        device: String,
        /// The leg's address.
        gateway: IpAddr,
    },
}

/// What a rule looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector {
    /// Packets that enter by a device.
    Device(String),
    /// Packets that enter by a device and come from an address.
    DeviceFrom(String, IpAddr),
    /// Certain packets that enter by a device, perhaps only those to a prefix.
    Packets(String, Option<IpNetwork>, Packets),
    /// The router's own packets with a mark.
    OwnMarked(u32),
    /// The router's own packets from an address.
    OwnFrom(IpAddr),
}

impl Object {
    /// The device with which the kernel drops this object by itself. Rules stay.
    pub fn device(&self) -> Option<&str> {
        match self {
            Self::Mac { device, .. }
            | Self::Neighbour { device, .. }
            | Self::Proxy { device, .. } => Some(device),
            Self::Route {
                target: Target::Port { device, .. } | Target::Via { device, .. },
                ..
            } => Some(device),
            _ => None,
        }
    }
}

/// The metric of the route that ends every table: worse than any other route.
pub const LAST_METRIC: u32 = 4000;
