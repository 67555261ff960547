//! The objects of an attachment as values, and the mark that says whose they are.

use std::net::IpAddr;

use uuid::Uuid;

use super::Host;
use super::network::Network;
use super::reservation::Reserve;
use super::types::{Attachment, NetworkSpec};
use crate::api::objects::{
    AllocationPool, InstanceIp, IpamSubnet, NetworkIpam, VirtualMachine, VirtualMachineInterface,
    VirtualNetwork,
};
use crate::api::{KeyValuePairs, Meta, Ref};
use crate::identity::Family;
use crate::mac::MacAddr;

/// The annotation that says which program made an object; only objects that carry it are ever
/// removed by a clean-up.
pub(crate) const OWNER: &str = "container-plugin.owner";
/// The annotation with the host that made it.
pub(crate) const NODE: &str = "container-plugin.node";
/// The annotation with the id of the machine that made it.
pub(crate) const MACHINE: &str = "container-plugin.machine";
/// The annotation with the container, as its runtime calls it.
pub(crate) const CONTAINER: &str = "container-plugin.container";
/// The annotation with the interface's name in the container.
pub(crate) const IFNAME: &str = "container-plugin.interface";
/// The annotation with the name of the configuration by which it was made.
pub(crate) const CONFIGURATION: &str = "container-plugin.configuration";
/// The annotation with the name of the virtual network.
pub(crate) const NETWORK: &str = "container-plugin.network";

/// The start of the annotations of a network that name the Docker networks and address pools that
/// use it; host and user follow.
pub const DOCKER_USER: &str = "container-plugin.docker-network.";

/// The annotation of an address that was set aside, with what for.
const RESERVED: &str = "container-plugin.reserved";

/// Whether an object was made by this project, on whatever host.
pub(super) fn is_owned(meta: &Meta) -> bool {
    meta.annotations.get(OWNER).is_some()
}

/// The virtual machine that stands for the container.
pub(super) fn machine(host: &Host, id: Uuid, wanted: &Attachment) -> VirtualMachine {
    let mut machine = VirtualMachine::new(id);
    machine.meta.display_name = Some(wanted.display_name.clone());
    machine.meta.annotations = mark(host, [(CONTAINER, wanted.container.as_str())]);
    machine
}

/// The VM interface, not linked to its virtual machine yet. It names its network by name alone: the
/// network's id is being asked for at the same time.
pub(super) fn interface(
    host: &Host,
    id: Uuid,
    mac: MacAddr,
    wanted: &Attachment,
) -> VirtualMachineInterface {
    let network = &wanted.network.fq_name;
    let name = network.parent().child(id.to_string());
    let mut interface = VirtualMachineInterface::new(name, Ref::named(network.clone()));
    interface.meta.uuid = Some(id);
    interface.meta.display_name = Some(format!("{}/{}", wanted.display_name, wanted.ifname));
    interface.meta.annotations = mark(
        host,
        [
            (CONTAINER, wanted.container.as_str()),
            (IFNAME, &wanted.ifname),
            (NETWORK, &network.to_string()),
            (CONFIGURATION, &wanted.configuration),
        ],
    );
    let groups = wanted.security_groups.iter().cloned();
    interface.security_group_refs = groups.map(Ref::named).collect();
    interface.set_mac(mac);
    interface
}

/// An instance IP of a VM interface; without an address the API chooses one of the family.
pub(super) fn instance_ip(
    id: Uuid,
    family: Family,
    address: Option<IpAddr>,
    interface: &VirtualMachineInterface,
    network: &Network,
) -> InstanceIp {
    let network = Ref::new(network.fq_name.clone(), network.uuid);
    let mut ip = InstanceIp::new(id, family, network, Ref::object(interface));
    ip.address = address;
    ip.meta.annotations = interface.meta.annotations.clone();
    ip.meta.display_name = interface.meta.display_name.clone();
    ip
}

/// An instance IP without an interface, with the mark that says whose it is.
pub(super) fn reserved_ip(host: &Host, wanted: &Reserve) -> InstanceIp {
    let network = Ref::new(wanted.network.clone(), wanted.network_id);
    let mut ip = InstanceIp::reserved(wanted.id, wanted.family, network);
    ip.address = wanted.address;
    ip.subnet_uuid = wanted.subnet.map(|(id, _)| id);
    ip.meta.annotations = mark(
        host,
        [
            (NETWORK, wanted.network.to_string().as_str()),
            (RESERVED, wanted.purpose),
        ],
    );
    ip.meta.display_name = Some(format!("{} of {}", wanted.purpose, host.node));
    ip
}

/// What an address was set aside for by this very host; `None` for all others.
pub(super) fn reserved_for<'a>(host: &Host, meta: &'a Meta) -> Option<&'a str> {
    let is = |key, value: &str| meta.annotations.get(key) == Some(value);
    let ours = is(OWNER, &host.owner) && is(NODE, &host.node) && !is_of_other_machine(host, meta);
    meta.annotations.get(RESERVED).filter(|_| ours)
}

/// Who has an object, for people: container and host, as far as its mark tells.
pub(super) fn holder(meta: &Meta) -> String {
    let get = |key| meta.annotations.get(key);
    let own_name = || {
        meta.display_name
            .clone()
            .unwrap_or(meta.fq_name.to_string())
    };
    let holder = match (get(CONTAINER), get(RESERVED)) {
        (Some(_), _) | (None, None) => own_name(),
        (None, Some(purpose)) => purpose.to_owned(),
    };
    match get(NODE) {
        Some(node) => format!("{holder} on host {node}"),
        None => holder,
    }
}

/// A virtual network with the subnets that the request gives it.
pub(super) fn network(host: &Host, spec: &NetworkSpec) -> VirtualNetwork {
    let subnets = spec.subnets.iter().map(|wanted| {
        let mut subnet = IpamSubnet::new(wanted.prefix);
        subnet.default_gateway = wanted.gateway;
        subnet.enable_dhcp = Some(true);
        subnet
            .allocation_pools
            .extend(wanted.pool.map(|pool| AllocationPool {
                start: pool.first,
                end: pool.last,
                rest: Default::default(),
            }));
        subnet
    });
    let mut network = VirtualNetwork::new(
        spec.fq_name.clone(),
        NetworkIpam::default_name(),
        subnets.collect(),
    );
    network.meta.annotations = mark(host, [(NETWORK, spec.fq_name.to_string().as_str())]);
    network
}

fn mark<const N: usize>(host: &Host, more: [(&str, &str); N]) -> KeyValuePairs {
    let own = [(OWNER, host.owner.as_str()), (NODE, host.node.as_str())];
    let machine = host.machine.map(|id| id.to_string());
    let machine = machine.as_deref().map(|id| (MACHINE, id));
    own.into_iter().chain(machine).chain(more).collect()
}

/// Whether an object was made on another machine, as far as that is known.
pub(super) fn is_of_other_machine(host: &Host, meta: &Meta) -> bool {
    let mark = meta.annotations.get(MACHINE);
    match (mark, host.machine) {
        (Some(mark), Some(own)) => mark != own.to_string(),
        _ => false,
    }
}
