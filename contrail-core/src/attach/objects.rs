//! The objects of an attachment, as values.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use uuid::Uuid;

use crate::api::Ref;
use crate::api::objects::{
    AllocationPool, InstanceIp, IpamSubnet, NetworkIpam, VirtualMachine, VirtualMachineInterface,
    VirtualNetwork,
};
use crate::attach::attacher::Host;
use crate::attach::port_spec::PortSpec;
use crate::attach::spec::{NetworkSpec, Reserve};
use crate::ownership::Holder;
use crate::ownership::mark::{CONFIGURATION, CONTAINER, NETWORK, RESERVED};
use crate::ownership::names::interface_name;
use crate::values::Family;
use crate::values::Invalid;
use crate::values::MacAddr;
use crate::values::prefix::check_room;

/// The virtual machine that represents the container.
pub(crate) fn machine(host: &Host, id: Uuid, wanted: &PortSpec) -> VirtualMachine {
    let mut machine = VirtualMachine::new(id);
    machine.meta.display_name = Some(wanted.display_name.clone());
    machine.meta.annotations = host.maker.mark([(CONTAINER, wanted.holder.id())]);
    machine
}

/// The VM interface, not linked to its virtual machine yet. It names its network by name alone: the
/// network's id is being asked for at the same time.
pub(crate) fn interface(
    host: &Host,
    id: Uuid,
    mac: MacAddr,
    wanted: &PortSpec,
) -> VirtualMachineInterface {
    let network = &wanted.network.fq_name;
    let name = network.sibling(id.to_string());
    let mut interface = VirtualMachineInterface::new(name, Ref::named(network.clone()));
    interface.meta.uuid = Some(id);
    let label = &wanted.display_name;
    interface.meta.display_name = Some(match &wanted.holder {
        Holder::Container { ifname, .. } => interface_name(label, ifname),
        Holder::Endpoint { .. } => label.clone(),
    });
    let [container, ifname] = wanted.holder.mark();
    let network = network.to_string();
    let configuration = wanted.configuration.as_deref();
    let configuration = configuration.map(|name| (CONFIGURATION, name));
    let mark = [container, ifname, (NETWORK, network.as_str())];
    interface.meta.annotations = host.maker.mark(mark.into_iter().chain(configuration));
    let groups = wanted.options.security_groups.iter().cloned();
    interface.security_group_refs = groups.map(Ref::named).collect();
    interface.set_mac(mac);
    interface
}

/// An instance IP of a VM interface; if `address` is unset, the API chooses one of the family, from the
/// subnet of this id or from any.
pub(crate) fn instance_ip(
    id: Uuid,
    family: Family,
    address: Option<IpAddr>,
    subnet: Option<Uuid>,
    interface: &VirtualMachineInterface,
    network: Ref,
) -> InstanceIp {
    let mut ip = InstanceIp::new(id, family, network, Ref::object(interface));
    ip.address = address;
    ip.subnet_uuid = subnet;
    ip.meta.annotations = interface.meta.annotations.clone();
    ip.meta.display_name = interface.meta.display_name.clone();
    ip
}

/// An instance IP without an interface, with the mark that says whose it is.
pub(crate) fn reserved_ip(host: &Host, wanted: &Reserve) -> InstanceIp {
    let network = Ref::new(wanted.network.clone(), wanted.network_id);
    let mut ip = InstanceIp::reserved(wanted.id, wanted.family, network);
    ip.address = wanted.address;
    ip.subnet_uuid = wanted.subnet.map(|(id, _)| id);
    let (key, reserved_for) = wanted.reserved_for.mark();
    ip.meta.annotations = host.maker.mark([
        (NETWORK, wanted.network.to_string().as_str()),
        (RESERVED, wanted.purpose),
        (key, reserved_for.as_str()),
    ]);
    ip.meta.display_name = Some(format!("{} of {}", wanted.purpose, host.node()));
    ip
}

/// A virtual network with the subnets that the request gives it.
///
/// # Errors
/// For a subnet that has no address for a container.
pub(crate) fn network(host: &Host, spec: &NetworkSpec) -> Result<VirtualNetwork, Invalid> {
    for subnet in &spec.subnets {
        let prefix = subnet.prefix;
        check_room(prefix, subnet.gateway, subnet.dns)
            .map_err(|reason| Invalid::new("subnet", prefix.to_string(), reason))?;
    }
    let subnets = spec.subnets.iter().map(|wanted| {
        let mut subnet = IpamSubnet::new(wanted.prefix);
        subnet.default_gateway = wanted.gateway;
        subnet.dns_server_address = wanted.dns;
        subnet.enable_dhcp = Some(true);
        subnet
            .allocation_pools
            .extend(wanted.pools.iter().map(|pool| AllocationPool {
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
    network.meta.annotations = host
        .maker
        .mark([(NETWORK, spec.fq_name.to_string().as_str())]);
    Ok(network)
}

/// The address, if it is one of IPv4.
pub(crate) fn ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

/// The address, if it is one of IPv6.
pub(crate) fn ipv6(address: IpAddr) -> Option<Ipv6Addr> {
    match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => Some(address),
    }
}
