//! What is asked for of an endpoint, and what it got.

use std::net::IpAddr;

use uuid::Uuid;

use crate::attach::port_spec::PortSpec;
use crate::attach::spec::InterfaceOptions;
use crate::attach::spec::NetworkSpec;
use crate::attach::spec::Service;
use crate::ownership::Holder;
use crate::values::FqName;
use crate::values::MacAddr;

/// One connection of a container to a virtual network that exists.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The runtime's id of the connection.
    pub id: String,
    /// The virtual network.
    pub network: FqName,
    /// Its id.
    pub network_id: Uuid,
    /// The id of its project, if known.
    pub project_id: Option<Uuid>,
    /// The addresses.
    pub addresses: Vec<EndpointAddress>,
    /// The Ethernet address; if unset, it follows from the id.
    pub mac: Option<MacAddr>,
    /// The MTU in bytes; if unset, the kernel's default.
    pub mtu: Option<u32>,
    /// What people call it.
    pub display_name: String,
    /// Its part in a service chain, which it takes when it is joined. The sandbox is the runtime's:
    /// its forwarding is not changed here.
    pub service: Option<Service>,
    /// What the controller is to do for it.
    pub options: InterfaceOptions,
}

/// An address of an endpoint, at most one of each family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointAddress {
    /// The address.
    pub address: IpAddr,
    /// The instance IP that has been reserved for it: it is reused, and kept when the
    /// endpoint is removed.
    pub reserved: Option<Uuid>,
}

/// An endpoint as the API knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundEndpoint {
    /// Its addresses, IPv4 first.
    pub addresses: Vec<EndpointAddress>,
    /// The Ethernet address.
    pub mac: Option<MacAddr>,
    /// The virtual machine, if it has joined one.
    pub vm: Option<Uuid>,
    /// What the controller does for the interface.
    pub options: InterfaceOptions,
}

/// The interface that the runtime is to move into the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Its name on the host.
    pub ifname: String,
    /// The id of the virtual machine.
    pub vm: Uuid,
}

impl Endpoint {
    /// An endpoint in a virtual network, with computed Ethernet address and the kernel's default MTU,
    /// without addresses; set the other fields as needed.
    pub fn new(id: impl Into<String>, network: FqName, network_id: Uuid) -> Self {
        let id = id.into();
        Self {
            display_name: id.clone(),
            id,
            network,
            network_id,
            project_id: None,
            addresses: Vec::new(),
            mac: None,
            mtu: None,
            service: None,
            options: InterfaceOptions::default(),
        }
    }
}

impl From<&Endpoint> for PortSpec {
    fn from(endpoint: &Endpoint) -> Self {
        Self {
            holder: Holder::Endpoint {
                id: endpoint.id.clone(),
            },
            network: NetworkSpec::existing(endpoint.network.clone()),
            addresses: endpoint.addresses.iter().map(|a| a.address).collect(),
            mac: endpoint.mac,
            mtu: endpoint.mtu,
            configuration: None,
            display_name: endpoint.display_name.clone(),
            service: endpoint.service.clone(),
            options: endpoint.options.clone(),
        }
    }
}
