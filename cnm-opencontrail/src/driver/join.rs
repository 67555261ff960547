//! Joining endpoints: the interface that Docker moves into the container.

use std::net::IpAddr;

use contrail_core::Deadline;

use super::network_driver::NetworkDriver;
use super::pools;
use super::store::{EndpointEntry, Network};
use crate::error::Result;
use crate::plugin::PATIENCE;
use crate::proto::{InterfaceName, Join, JoinReply, Reply};

/// What the names of interfaces in containers begin with, unless the network's options say otherwise.
const IN_CONTAINER: &str = "eth";

impl NetworkDriver {
    /// `NetworkDriver.Join`: the interface, which Docker then moves into the container.
    ///
    /// # Errors
    /// An endpoint that does not exist, an agent or a controller that is down.
    pub fn join(&self, request: &Join) -> Result<Reply> {
        let end = Deadline::after(PATIENCE);
        let network = self.known(&request.network_id, end)?;
        let _lock = self.locks.lock(request.endpoint_id.as_str(), end)?;
        let mut entry = self.known_endpoint(&request.endpoint_id, end)?;
        let endpoint = self.endpoint(&request.endpoint_id, &network, &entry);
        let sandbox = request.sandbox_key.to_string_lossy();
        // Unknown of an endpoint whose state was lost.
        entry.network.get_or_insert(request.network_id.clone());
        // Recorded first: if this is interrupted, the removal of the endpoint must know the machine.
        let attacher = self.attacher_of(&entry);
        entry.vm = Some(attacher.sandbox_machine(&sandbox));
        self.store.put_endpoint(&request.endpoint_id, &entry)?;
        let joined = attacher.join_endpoint(&endpoint, &sandbox)?;
        let (gateway, gateway_ipv6) = gateways(&network, &entry);
        let prefix = network.wanted.options.properties.interface_prefix;
        Ok(Reply::Join(JoinReply {
            interface_name: InterfaceName {
                src_name: joined.ifname,
                dst_prefix: prefix.unwrap_or_else(|| IN_CONTAINER.to_owned()),
            },
            gateway,
            gateway_ipv6,
            static_routes: Vec::new(),
            // Traffic uses the vRouter, or is dropped.
            disable_gateway_service: true,
        }))
    }
}

/// The gateways of an endpoint, IPv4 and IPv6: one of each family in which it has an address.
fn gateways(network: &Network, endpoint: &EndpointEntry) -> (Option<IpAddr>, Option<IpAddr>) {
    let wanted = &network.wanted;
    if wanted.internal || wanted.options.properties.without_gateway {
        return (None, None);
    }
    let known = pools::gateways(&wanted.pools);
    let of = |v4: bool| {
        let has_family = endpoint.addresses.iter().any(|(a, _)| a.is_ipv4() == v4);
        let mut gateways = known.iter().copied();
        gateways.find(|gateway| has_family && gateway.is_ipv4() == v4)
    };
    (of(true), of(false))
}
