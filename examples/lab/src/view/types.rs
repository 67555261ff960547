//! The types of the view.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::RangeInclusive;

use contrail_core::{FqName, MacAddr};
use ipnetwork::IpNetwork;
use uuid::Uuid;

/// The configuration at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigView {
    /// The virtual networks, by name.
    pub networks: Vec<NetworkView>,
    /// The virtual machine interfaces, by name.
    pub interfaces: Vec<InterfaceView>,
    /// The virtual machines, by name.
    pub machines: Vec<MachineView>,
    /// The service instances, by name.
    pub service_instances: Vec<ServiceInstanceView>,
    /// The service chains that the controller has built.
    pub chains: Vec<ChainView>,
}

/// A virtual network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkView {
    /// Its id.
    pub uuid: Uuid,
    /// Its name.
    pub fq_name: FqName,
    /// Its subnets, in their order.
    pub subnets: Vec<SubnetView>,
    /// The rules of the policies that are attached to it, in the order in which they are looked at.
    pub rules: Vec<PolicyRule>,
}

/// A subnet of a virtual network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetView {
    /// The network.
    pub prefix: IpNetwork,
    /// The gateway; `None` for a subnet without one.
    pub gateway: Option<IpAddr>,
    /// The address at which the vRouter answers DNS.
    pub dns: Option<IpAddr>,
}

/// A virtual machine interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceView {
    /// Its id.
    pub uuid: Uuid,
    /// Its name.
    pub fq_name: FqName,
    /// Its display name.
    pub display_name: String,
    /// The network it is in.
    pub network: Option<Uuid>,
    /// The machine it belongs to.
    pub machine: Option<Uuid>,
    /// Its MAC address, when it is one.
    pub mac: Option<MacAddr>,
    /// The addresses of its instance IPs, without those of service chains.
    pub addresses: Vec<IpAddr>,
    /// Its annotations, keys and values.
    pub annotations: Vec<(String, String)>,
}

/// A virtual machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineView {
    /// Its id.
    pub uuid: Uuid,
    /// Its name.
    pub name: String,
    /// Its display name.
    pub display_name: String,
    /// Whether a virtual router refers to it.
    pub on_router: bool,
}

/// A rule of a policy that is attached to a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRule {
    /// The id that the server gave it: the same wherever its policy is attached.
    pub id: String,
    /// The policy.
    pub policy: FqName,
    /// The network that flows come from.
    pub source: NameOrAny,
    /// The network that flows go to.
    pub destination: NameOrAny,
    /// Whether flows in the other direction are meant, too (`<>`).
    pub both_ways: bool,
    /// The protocol: `any`, a name or a number.
    pub protocol: String,
    /// The ports of the source.
    pub source_ports: Ports,
    /// The ports of the destination.
    pub destination_ports: Ports,
    /// Whether flows may pass.
    pub pass: bool,
    /// The service instances that flows pass through, from source to destination.
    pub services: Vec<FqName>,
}

/// A network by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameOrAny {
    /// This one.
    Name(FqName),
    /// The network to which the policy is attached.
    Local,
    /// Every network.
    Any,
}

/// Ranges of ports; none stands for all ports.
pub type Ports = Vec<RangeInclusive<u16>>;

/// A service instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceInstanceView {
    /// Its name.
    pub fq_name: FqName,
    /// `in-network`, `in-network-nat` or `transparent`; empty when it has no template.
    pub mode: String,
    /// Its port tuples: the VM interfaces by their role, such as `left`.
    pub port_tuples: Vec<BTreeMap<String, Uuid>>,
}

/// A service chain that the controller has built: every service instance has a routing instance in the
/// left network that passes on the routes of the right one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainView {
    /// The ids of the rules that ask for it.
    pub rules: BTreeSet<String>,
    /// The left network.
    pub left: Uuid,
    /// The right network.
    pub right: Uuid,
    /// Whether the routes of the left network are passed on to the right one, too.
    pub leads_back: bool,
}
