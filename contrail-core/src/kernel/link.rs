//! Interfaces: as they are to be made, and as they are.

use ipnetwork::IpNetwork;

use super::route::Route;
use crate::values::MacAddr;

/// A veth pair that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VethSpec {
    /// The name of the end that stays on the host.
    pub host: String,
    /// The name of the end in the container.
    pub container: String,
    /// The Ethernet address of the container's end. The host's end gets a random one: the vRouter
    /// answers in its place.
    pub mac: MacAddr,
    /// The MTU of both ends in bytes; if unset, the kernel's default (1500).
    pub mtu: Option<u32>,
    /// The alias of the host's end, as `ip link` shows it: the id of the VM interface.
    pub alias: String,
}

/// What the container's end of a pair gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfaceConfig {
    /// Its addresses with the length of their subnets.
    pub addresses: Vec<IpNetwork>,
    /// Its routes. The kernel adds those of the addresses' own subnets.
    pub routes: Vec<Route>,
    /// Whether packets that it receives are forwarded. For IPv6 the kernel has that setting for a
    /// whole network namespace only.
    pub forwarding: bool,
}

/// An interface as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// The kernel's number of it in its namespace.
    pub index: u32,
    /// Its Ethernet address, if it has one.
    pub mac: Option<MacAddr>,
    /// Its MTU in bytes, if the kernel tells it.
    pub mtu: Option<u32>,
    /// Whether it is set up (whatever its peer is).
    pub up: bool,
    /// Its alias: on the host's end of a pair, the id of the VM interface.
    pub alias: Option<String>,
    /// Its addresses, without the link-local ones that the kernel adds.
    pub addresses: Vec<IpNetwork>,
    /// The routes through it in all tables, without those that the kernel adds. What the
    /// kernel would choose is left out: the main table, the scope that follows from the gateway, the
    /// metric 1024 of IPv6.
    pub routes: Vec<Route>,
}
