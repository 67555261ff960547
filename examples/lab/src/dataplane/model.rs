//! What the data plane is to do, as a value: the agent's subscriptions, resolved against the
//! configuration and the links of the host.

use std::collections::BTreeSet;
use std::net::IpAddr;

use contrail_core::values::Family;
use contrail_core::{FqName, MacAddr};
use ipnetwork::IpNetwork;
use uuid::Uuid;

use super::flow::Flow;
pub use super::port_state::{Reason, State};
use super::wire::Names;

/// Everything that the kernel state follows from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// The networks that have a port here, by table.
    pub networks: Vec<Network>,
    /// All ports of the agent, by id.
    pub ports: Vec<Port>,
    /// What the networks' policies mean between them.
    pub flows: Vec<Flow>,
    /// The ports that are legs of service instances in some chain, be it up or not.
    pub legs: BTreeSet<Uuid>,
}

/// A virtual network with its routing table.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Id in the configuration API.
    pub uuid: Uuid,
    /// Its name.
    pub name: FqName,
    /// Its routing table, the same as long as the lab runs.
    pub table: u32,
    /// Its prefixes.
    pub prefixes: Vec<IpNetwork>,
    /// Addresses that the router itself answers for: gateways and DNS servers.
    pub services: Vec<IpAddr>,
    /// The gateway of each family: the source of what the router itself says.
    pub gateways: Vec<IpAddr>,
}

/// A port of the agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Id of the VM interface.
    pub id: Uuid,
    /// The name people gave the machine.
    pub display_name: String,
    /// The host end.
    pub host_ifname: String,
    /// The ends of its connection to the lab.
    pub names: Names,
    /// The container's MAC address.
    pub mac: MacAddr,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// The table of its network, when the network is known.
    pub table: Option<u32>,
    /// The name of its network, when the network is known.
    pub network: Option<FqName>,
    /// Whether it forwards, and if not, why.
    pub state: State,
}

impl Port {
    /// Whether it forwards.
    pub fn is_active(&self) -> bool {
        self.state == State::Active
    }

    /// Its addresses of one family.
    pub fn addresses_of(&self, family: Family) -> impl Iterator<Item = IpAddr> {
        let addresses = self.addresses.iter().copied();
        addresses.filter(move |address| Family::of(*address) == family)
    }
}

impl Model {
    /// The network of a table.
    pub fn network(&self, table: u32) -> Option<&Network> {
        self.networks.iter().find(|network| network.table == table)
    }

    /// The port of an id.
    pub fn port(&self, id: Uuid) -> Option<&Port> {
        self.ports.iter().find(|port| port.id == id)
    }
}

impl Network {
    /// The gateway of one family.
    pub fn gateway(&self, family: Family) -> Option<IpAddr> {
        let mut gateways = self.gateways.iter().copied();
        gateways.find(|gateway| Family::of(*gateway) == family)
    }
}
