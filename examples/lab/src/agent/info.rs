//! What the agent knows of a port from the configuration, and its answer to `GET /port/<id>`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use contrail_core::MacAddr;
use serde::Serialize;
use uuid::Uuid;

use super::files::{AUTHOR, time_text};
use super::ports::{Kind, Subscription};
use crate::view::{ConfigView, InterfaceView, MachineView, NetworkView, SubnetView};

/// The configuration of a port, once all of it has arrived.
#[derive(Clone, Copy, Debug)]
pub struct Configuration<'a> {
    /// The VM interface.
    pub interface: &'a InterfaceView,
    /// The machine that it belongs to.
    pub machine: &'a MachineView,
    /// The network that it is in.
    pub network: &'a NetworkView,
}

/// The configuration of a port; `None` until its VM, VM interface and network are known to the
/// agent. It knows the machines that a port of type 0 or 2 names and those of its virtual router.
pub fn configuration<'a>(
    port: &Subscription,
    all: &[Subscription],
    view: &'a ConfigView,
) -> Option<Configuration<'a>> {
    let interface = view.interfaces.iter().find(|i| i.uuid == port.id)?;
    let machine = interface.machine?;
    let machine = view.machines.iter().find(|m| m.uuid == machine)?;
    let asked_for = all
        .iter()
        .any(|p| matches!(p.kind, Kind::Vm | Kind::Remote) && p.instance_id == machine.uuid);
    if !asked_for && !machine.on_router {
        return None;
    }
    let network = interface.network?;
    let network = view.networks.iter().find(|n| n.uuid == network)?;
    Some(Configuration {
        interface,
        machine,
        network,
    })
}

/// The addresses of a port, the primary one of each family first: what was registered wins, then
/// come the instance IPs.
pub fn addresses(port: &Subscription, configured: Option<&Configuration>) -> Vec<IpAddr> {
    let registered = [IpAddr::V4(port.address), IpAddr::V6(port.address6)];
    let mut addresses: Vec<IpAddr> = registered
        .into_iter()
        .filter(|address| !address.is_unspecified())
        .collect();
    for address in configured.iter().flat_map(|c| &c.interface.addresses) {
        if !addresses.contains(address) {
            addresses.push(*address);
        }
    }
    addresses
}

/// The MAC address of a port: the registered one; the configuration's for a pod.
pub fn mac(port: &Subscription, configured: Option<&Configuration>) -> MacAddr {
    match port.kind {
        Kind::Pod => configured.and_then(|c| c.interface.mac).unwrap_or(port.mac),
        _ => port.mac,
    }
}

/// The answer to `GET /port/<id>`, its keys in their order.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PortInfo {
    id: Uuid,
    instance_id: Uuid,
    vn_id: Uuid,
    vm_project_id: Uuid,
    mac_address: String,
    system_name: String,
    rx_vlan_id: u16,
    tx_vlan_id: u16,
    vhostuser_mode: u8,
    #[serde(flatten)]
    v4: Option<V4Info>,
    #[serde(flatten)]
    v6: Option<V6Info>,
    author: &'static str,
    time: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct V4Info {
    ip_address: Ipv4Addr,
    plen: u8,
    dns_server: IpAddr,
    gateway: IpAddr,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct V6Info {
    v6_ip_address: Ipv6Addr,
    v6_dns_server: IpAddr,
    v6_gateway: IpAddr,
}

/// The answer for a port; `None` until its configuration is there and one of its primary addresses
/// lies in a subnet of its network.
pub fn port_info(port: &Subscription, all: &[Subscription], view: &ConfigView) -> Option<PortInfo> {
    let configured = configuration(port, all, view)?;
    let addresses = addresses(port, Some(&configured));
    let subnets = &configured.network.subnets;
    let find = |address: IpAddr| {
        let mut subnets = subnets.iter();
        subnets.find(|subnet| subnet.prefix.contains(address))
    };
    let v4 = addresses.iter().find_map(|address| match address {
        IpAddr::V4(v4) => Some(*v4),
        IpAddr::V6(_) => None,
    });
    let v6 = addresses.iter().find_map(|address| match address {
        IpAddr::V6(v6) => Some(*v6),
        IpAddr::V4(_) => None,
    });
    let v4 = v4.and_then(|address| {
        let subnet = find(address.into())?;
        let (gateway, dns_server) = servers(subnet, Ipv4Addr::UNSPECIFIED.into());
        Some(V4Info {
            ip_address: address,
            plen: subnet.prefix.prefix(),
            dns_server,
            gateway,
        })
    });
    let v6 = v6.and_then(|address| {
        let subnet = find(address.into())?;
        let (v6_gateway, v6_dns_server) = servers(subnet, Ipv6Addr::UNSPECIFIED.into());
        Some(V6Info {
            v6_ip_address: address,
            v6_dns_server,
            v6_gateway,
        })
    });
    if v4.is_none() && v6.is_none() {
        return None;
    }
    Some(PortInfo {
        id: port.id,
        // From the configuration, not as registered.
        instance_id: configured.machine.uuid,
        vn_id: configured.network.uuid,
        vm_project_id: port.project_id,
        mac_address: mac(port, Some(&configured)).to_string(),
        system_name: port.host_ifname.clone(),
        rx_vlan_id: port.rx_vlan,
        tx_vlan_id: port.tx_vlan,
        vhostuser_mode: port.vhostuser_mode,
        v4,
        v6,
        author: AUTHOR,
        time: time_text(port.time),
    })
}

/// Gateway and DNS server of a subnet; without a DNS address the gateway serves.
fn servers(subnet: &SubnetView, none: IpAddr) -> (IpAddr, IpAddr) {
    let gateway = subnet.gateway.unwrap_or(none);
    (gateway, subnet.dns.unwrap_or(gateway))
}

/// One port in the answer to `GET /vm-cfg/<vm-name>`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VmPort {
    id: Uuid,
    vm_uuid: Uuid,
    vn_id: Uuid,
    vn_name: String,
    mac_address: String,
    sub_interface: bool,
    vlan_id: u16,
    /// Each as `{key:value}`, by key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<String>,
}

/// The ports that the configuration gives a machine, by the machine's name; `None` until there is
/// one with its network.
pub fn vm_config(name: &str, view: &ConfigView) -> Option<Vec<VmPort>> {
    let machine = view.machines.iter().find(|m| m.name == name)?;
    let interfaces = view.interfaces.iter();
    let ports: Vec<VmPort> = interfaces
        .filter(|interface| interface.machine == Some(machine.uuid))
        .filter_map(|interface| {
            let network = interface.network?;
            let network = view.networks.iter().find(|n| n.uuid == network)?;
            Some(VmPort {
                id: interface.uuid,
                vm_uuid: machine.uuid,
                vn_id: network.uuid,
                vn_name: network.fq_name.to_string(),
                mac_address: interface.mac.unwrap_or(MacAddr([0; 6])).to_string(),
                sub_interface: false,
                vlan_id: u16::MAX,
                annotations: annotations(interface),
            })
        })
        .collect();
    (!ports.is_empty()).then_some(ports)
}

fn annotations(interface: &InterfaceView) -> Vec<String> {
    let pairs = interface.annotations.iter();
    let mut annotations: Vec<String> = pairs
        .map(|(key, value)| format!("{{{key}:{value}}}"))
        .collect();
    annotations.sort();
    annotations
}
