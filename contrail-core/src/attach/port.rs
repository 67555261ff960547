//! A VM interface on its way to being attached, with all that follows from its specification.

use uuid::Uuid;

use crate::api::objects::VirtualMachineInterface;
use crate::attach::attacher::Host;
use crate::attach::objects;
use crate::attach::port_spec::PortSpec;
use crate::ownership::Holder;
use crate::values::{MacAddr, identity};

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
