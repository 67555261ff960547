//! What a lab looks like from outside: its addresses, networks and ports, and what is wrong.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use contrail_core::{FqName, MacAddr};
use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::dataplane::flow::{Action, Flow};
use crate::dataplane::model::{Model, Port, State};
use crate::dataplane::netlink::Counters;
use crate::dataplane::{PortSnapshot, Snapshot};
use crate::view::{ConfigView, NetworkView};

/// Where a lab's services listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// The configuration API.
    pub config_api: SocketAddr,
    /// Keystone.
    pub keystone: SocketAddr,
    /// The vRouter agent's port API.
    pub agent: SocketAddr,
    /// The lab's own endpoint.
    pub control: SocketAddr,
}

/// A lab at one moment. Its JSON form is part of the command line's contract.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The lab's name.
    pub name: String,
    /// The process that serves it.
    pub pid: u32,
    /// Where its services listen.
    pub addresses: Addresses,
    /// The directory of the agent's port files.
    pub ports_dir: PathBuf,
    /// The network namespace that forwards; `None` when nothing is forwarded.
    pub namespace: Option<PathBuf>,
    /// What does not work as it should.
    pub problems: Vec<String>,
    /// The virtual networks of the configuration, without those that every installation has.
    pub networks: Vec<NetworkStatus>,
    /// The agent's ports.
    pub ports: Vec<PortStatus>,
    /// The service chains that the networks' policies ask for.
    pub chains: Vec<ChainStatus>,
}

/// A service chain between two networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChainStatus {
    /// The policy that asks for it.
    pub policy: FqName,
    /// The network that it starts from.
    pub left: FqName,
    /// The network that it leads to.
    pub right: FqName,
    /// The service instances, from left to right.
    pub services: Vec<FqName>,
    /// Whether packets pass.
    pub up: bool,
    /// What is missing when they do not.
    pub missing: Vec<String>,
}

/// A virtual network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkStatus {
    /// Its name.
    pub name: FqName,
    /// Its id.
    pub uuid: Uuid,
    /// Its routing table; `None` as long as it has no port here.
    pub table: Option<u32>,
    /// Its subnets.
    pub subnets: Vec<SubnetStatus>,
}

/// A subnet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SubnetStatus {
    /// The prefix.
    pub prefix: IpNetwork,
    /// The gateway.
    pub gateway: Option<IpAddr>,
    /// The DNS server.
    pub dns: Option<IpAddr>,
}

/// A port of the agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PortStatus {
    /// The id of its VM interface.
    pub id: Uuid,
    /// Its name for people.
    pub display_name: String,
    /// The host end of the container's pair.
    pub host_ifname: String,
    /// The host end's index; `None` when it does not exist.
    pub ifindex: Option<u32>,
    /// Its network; `None` when that is not known.
    pub network: Option<FqName>,
    /// The routing table of its network.
    pub table: Option<u32>,
    /// The container's MAC address.
    pub mac: MacAddr,
    /// The container's addresses.
    pub addresses: Vec<IpAddr>,
    /// Whether it forwards.
    pub active: bool,
    /// Why it does not forward, in the words of the agent's introspect pages.
    pub reasons: Vec<String>,
    /// Why it could not be connected to the router.
    pub problem: Option<String>,
    /// What the host end received from the container and sent to it.
    pub counters: Counters,
}

impl Status {
    /// Fills in networks, ports and problems.
    #[must_use]
    pub fn with(mut self, view: &ConfigView, snapshot: Snapshot) -> Self {
        let table = |uuid: Uuid| {
            let mut networks = snapshot.model.networks.iter();
            networks.find(|n| n.uuid == uuid).map(|n| n.table)
        };
        let networks = view.networks.iter().filter(|n| !is_built_in(n));
        self.networks = networks.map(|n| network(n, table(n.uuid))).collect();
        self.networks.sort_by(|a, b| a.name.cmp(&b.name));
        let ports = snapshot.model.ports.iter();
        self.ports = ports
            .map(|p| port(p, snapshot.ports.get(&p.id).cloned().unwrap_or_default()))
            .collect();
        self.chains = chains(&snapshot.model);
        self.namespace = snapshot.namespace;
        self.problems = snapshot.problems;
        self
    }
}

/// Whether every installation has this network: nobody's, and without subnets.
fn is_built_in(network: &NetworkView) -> bool {
    let built_in = FqName::new(["default-domain", "default-project"]);
    network.subnets.is_empty() && network.fq_name.is_child_of(&built_in)
}

fn network(network: &NetworkView, table: Option<u32>) -> NetworkStatus {
    let subnets = network.subnets.iter();
    NetworkStatus {
        name: network.fq_name.clone(),
        uuid: network.uuid,
        table,
        subnets: subnets
            .map(|subnet| SubnetStatus {
                prefix: subnet.prefix,
                gateway: subnet.gateway,
                dns: subnet.dns,
            })
            .collect(),
    }
}

fn chains(model: &Model) -> Vec<ChainStatus> {
    let name = |table| model.network(table).map(|network| network.name.clone());
    let chain = |flow: &Flow| {
        let Action::Chain { services, legs, .. } = &flow.action else {
            return None;
        };
        Some(ChainStatus {
            policy: flow.policy.clone(),
            left: name(flow.left)?,
            right: name(flow.right)?,
            services: services.clone(),
            up: legs.is_ok(),
            missing: legs.as_ref().err().cloned().unwrap_or_default(),
        })
    };
    let mut chains: Vec<ChainStatus> = model.flows.iter().filter_map(chain).collect();
    // A rule with several ranges of ports is several flows.
    chains.dedup();
    chains
}

fn port(port: &Port, kernel: PortSnapshot) -> PortStatus {
    let reasons = match &port.state {
        State::Active => Vec::new(),
        State::Inactive(reasons) => reasons.iter().map(ToString::to_string).collect(),
    };
    PortStatus {
        id: port.id,
        display_name: port.display_name.clone(),
        host_ifname: port.host_ifname.clone(),
        ifindex: kernel.ifindex,
        network: port.network.clone(),
        table: port.table,
        mac: port.mac,
        addresses: port.addresses.clone(),
        active: reasons.is_empty(),
        reasons,
        problem: kernel.problem,
        counters: kernel.counters,
    }
}
