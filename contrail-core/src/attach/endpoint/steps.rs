//! The steps that only endpoints have.

use uuid::Uuid;

use super::spec::{Endpoint, EndpointAddress};
use crate::agent;
use crate::api::Resource;
use crate::api::objects::{InstanceIp, VirtualMachineInterface};
use crate::attach::error::Result;
use crate::attach::network::Network;
use crate::attach::objects::{ipv4, ipv6};
use crate::attach::port::Port;
use crate::attach::removal::Step;
use crate::attach::steps::{Created, Ip};
use crate::attach::transaction::Transaction;
use crate::values::{Family, identity};

impl Transaction<'_> {
    /// Creates the endpoint's instance IPs, or hands it the reserved ones.
    pub(crate) fn take_addresses(&self, endpoint: &Endpoint, port: Port) -> Result<()> {
        let interface = port.id;
        let created = Created {
            network: Network {
                uuid: endpoint.network_id,
                fq_name: endpoint.network.clone(),
                project: endpoint.project_id,
                subnets: Vec::new(),
                owned: false,
            },
            port,
            ips: Vec::new(),
        };
        for EndpointAddress {
            address,
            reserved: set_aside,
        } in &endpoint.addresses
        {
            let family = Family::of(*address);
            match set_aside {
                None => self.create_ip(
                    &created,
                    &Ip {
                        id: identity::instance_ip(interface, family),
                        family,
                        asked: Some(*address),
                        sources: Vec::new(),
                    },
                    None,
                )?,
                Some(ip) => {
                    let name = created.port.object.fq_name().clone();
                    let to = (VirtualMachineInterface::TYPE, interface, &name);
                    self.attempt(Step::Reserved { ip: *ip, interface }, || {
                        self.client().add_ref((InstanceIp::TYPE, *ip), to, None)
                    })?;
                }
            }
        }
        Ok(())
    }

    /// What the agent gets of an endpoint.
    pub(crate) fn agent_port(&self, endpoint: &Endpoint, port: &Port, vm: Uuid) -> agent::Port {
        let address = |family| {
            let mut addresses = endpoint.addresses.iter().map(|a| a.address);
            addresses.find(|&address| Family::of(address) == family)
        };
        agent::Port {
            id: port.id,
            instance_id: vm,
            vn_id: endpoint.network_id,
            project_id: endpoint.project_id,
            display_name: endpoint.display_name.clone(),
            address: address(Family::V4).and_then(ipv4),
            address6: address(Family::V6).and_then(ipv6),
            mac: port.mac,
            host_ifname: port.host_ifname.clone(),
        }
    }

    pub(crate) fn tell_agent(&self, endpoint: &Endpoint, port: &Port, vm: Uuid) -> Result<()> {
        let port = self.agent_port(endpoint, port, vm);
        let agent = self.backend.agent.until(self.deadline);
        self.attempt(Step::AgentPort(port.id), || agent.add(&port))
    }
}
