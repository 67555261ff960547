//! The VM interface that every way of attaching asks for, and what follows from it.

use std::net::IpAddr;

use uuid::Uuid;

use crate::api::objects::VirtualMachineInterface;
use crate::attach::attacher::Host;
use crate::attach::objects;
use crate::attach::spec::{Attachment, NetworkSpec, Service};
use crate::ownership::Holder;
use crate::values::{FqName, MacAddr, identity};

/// A VM interface as it is asked for: what an [`Attachment`] and an endpoint have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PortSpec {
    /// What it is made for.
    pub(crate) holder: Holder,
    /// The virtual network.
    pub(crate) network: NetworkSpec,
    /// The addresses that were asked for, at most one of each family.
    pub(crate) addresses: Vec<IpAddr>,
    /// The Ethernet address; if unset, it follows from the interface's id.
    pub(crate) mac: Option<MacAddr>,
    /// The MTU in bytes; if unset, the kernel's default.
    pub(crate) mtu: Option<u32>,
    /// The name of the runtime's configuration.
    pub(crate) configuration: Option<String>,
    /// The name for people of what it is made for.
    pub(crate) display_name: String,
    /// Its part in a service chain.
    pub(crate) service: Option<Service>,
    /// The security groups that filter its packets.
    pub(crate) security_groups: Vec<FqName>,
}

impl From<&Attachment> for PortSpec {
    fn from(wanted: &Attachment) -> Self {
        Self {
            holder: Holder::Container {
                id: wanted.container.clone(),
                ifname: wanted.ifname.clone(),
            },
            network: wanted.network.clone(),
            addresses: wanted.addresses.clone(),
            mac: wanted.mac,
            mtu: wanted.mtu,
            configuration: wanted.configuration.clone(),
            display_name: wanted.display_name.clone(),
            service: wanted.service.clone(),
            security_groups: wanted.security_groups.clone(),
        }
    }
}

/// One VM interface on its way to being attached.
#[derive(Clone)]
pub(crate) struct Port {
    pub(crate) wanted: PortSpec,
    pub(crate) id: Uuid,
    pub(crate) mac: MacAddr,
    pub(crate) host_ifname: String,
    pub(crate) container_ifname: String,
    pub(crate) object: VirtualMachineInterface,
}

impl Port {
    pub(crate) fn new(host: &Host, wanted: PortSpec) -> Self {
        let id = wanted.holder.interface(host.node());
        let mac = wanted.mac.unwrap_or_else(|| MacAddr::of_interface(id));
        let container_ifname = match &wanted.holder {
            Holder::Container { ifname, .. } => ifname.clone(),
            // Its runtime renames it when it moves it into the container.
            Holder::Endpoint { .. } => identity::container_ifname(id),
        };
        Self {
            id,
            mac,
            host_ifname: identity::host_ifname(id),
            container_ifname,
            object: objects::interface(host, id, mac, &wanted),
            wanted,
        }
    }
}
