//! The VM interface that every way of attaching asks for.

use std::net::IpAddr;

use crate::attach::spec::{Attachment, InterfaceOptions, NetworkSpec, Service};
use crate::ownership::Holder;
use crate::values::MacAddr;

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
    /// What the controller is to do for it.
    pub(crate) options: InterfaceOptions,
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
            options: wanted.options.clone(),
        }
    }
}
