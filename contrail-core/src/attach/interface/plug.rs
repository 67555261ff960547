//! The end of an attachment: the container's end is configured, and the vRouter agent gets the port.

use ipnetwork::IpNetwork;
use uuid::Uuid;

use crate::agent;
use crate::attach::error::Result;
use crate::attach::network::subnets;
use crate::attach::objects::{ipv4, ipv6};
use crate::attach::removal::Step;
use crate::attach::spec::{Assigned, Attached};
use crate::attach::steps::Created;
use crate::attach::transaction::Transaction;
use crate::kernel::{InterfaceConfig, Netns, Route};
use crate::values::Family;

/// What the kernel gives an Ethernet device of its own accord, veth included.
const DEFAULT_MTU: u32 = 1500;

impl Transaction<'_> {
    /// Configures the interface in the container and hands it to the agent, in this order: a port is
    /// active only while both ends of its link are up.
    pub(crate) fn plug(
        &self,
        created: Created,
        vm: Uuid,
        addresses: Vec<Assigned>,
        routes: &[Route],
        netns: &Netns,
    ) -> Result<Attached> {
        let Created { port, network, .. } = created;
        let wanted = &port.wanted;
        let routes = via_gateways(routes, &addresses);
        let config = InterfaceConfig {
            addresses: addresses.iter().map(|a| a.address).collect(),
            routes: routes.clone(),
            forwarding: wanted.service.as_ref().is_some_and(|s| s.forwarding),
        };
        self.backend
            .dataplane
            .configure(netns, &port.container_ifname, &config)?;

        let ips = addresses.iter().map(|a| a.address.ip());
        let agent_port = agent::Port {
            id: port.id,
            instance_id: vm,
            vn_id: network.uuid,
            project_id: network.project,
            display_name: wanted.display_name.clone(),
            address: ips.clone().find_map(ipv4),
            address6: ips.clone().find_map(ipv6),
            mac: port.mac,
            host_ifname: port.host_ifname.clone(),
        };
        let agent = self.backend.agent.until(self.deadline);
        self.attempt(Step::AgentPort(port.id), || agent.add(&agent_port))?;
        if let Some(service) = &wanted.service {
            self.serve(&port, vm, service)?;
        }
        Ok(Attached {
            vm,
            interface: port.id,
            network: network.uuid,
            mtu: wanted.mtu.unwrap_or(DEFAULT_MTU),
            ifname: port.container_ifname,
            host_ifname: port.host_ifname,
            mac: port.mac,
            dns: subnets::dns(&network.subnets, &addresses),
            addresses,
            routes,
        })
    }
}

/// The routes with their gateways filled in: a route without one uses the gateway of its family, and is
/// skipped when the network has none.
fn via_gateways(routes: &[Route], addresses: &[Assigned]) -> Vec<Route> {
    let gateway = |destination: IpNetwork| {
        let family = Family::of(destination.ip());
        addresses
            .iter()
            .filter_map(|a| a.gateway)
            .find(|&g| Family::of(g) == family)
    };
    let fill = |route: &Route| match route.gateway.or_else(|| gateway(route.destination)) {
        Some(gateway) => Some(Route {
            gateway: Some(gateway),
            ..route.clone()
        }),
        None => {
            log::warn!("skipped the route to {}: no gateway", route.destination);
            None
        }
    };
    routes.iter().filter_map(fill).collect()
}
