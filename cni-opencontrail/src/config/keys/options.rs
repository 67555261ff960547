//! What the keys of a network say.

use contrail_core::FqName;
use contrail_core::attach::{InterfaceOptions, Service};

use super::ipam::Ipam;
use crate::protocol::result::Dns;

/// The options of a network. A command gets those that it reads; the others have their defaults.
#[derive(Clone, Debug)]
pub struct Options {
    /// The virtual network.
    pub network: FqName,
    /// The MTU in bytes; `None` is the kernel's default.
    pub mtu: Option<u32>,
    /// Subnets and routes.
    pub ipam: Ipam,
    /// The name resolution that replaces the virtual network's own.
    pub dns: Option<Dns>,
    /// The service instance that the interface joins.
    pub service: Option<Service>,
    /// What the controller is to do for the interface.
    pub interface: InterfaceOptions,
}

impl Options {
    /// The options of a configuration without keys.
    pub fn new(network: FqName) -> Self {
        Self {
            network,
            mtu: None,
            ipam: Ipam::default(),
            dns: None,
            service: None,
            interface: InterfaceOptions::default(),
        }
    }
}
