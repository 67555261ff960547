//! Endpoints: attachments of a runtime that asks for them in two halves, first for the objects and the
//! addresses, then for the interface, and moves that into the container itself.
//!
//! The ids follow from the runtime's own id of the endpoint, that of the virtual machine from the
//! container's sandbox: so all endpoints of one container share it.

mod keep;

use std::net::IpAddr;
use std::path::PathBuf;

use uuid::Uuid;

use crate::agent;
use crate::api::Resource;
use crate::api::objects::{InstanceIp, VirtualMachineInterface};
use crate::attach::attacher::Attacher;
use crate::attach::error::Result;
use crate::attach::network::Network;
use crate::attach::objects::{ipv4, ipv6};
use crate::attach::records::returns;
use crate::attach::removal::Detached;
use crate::attach::removal::{self, Step};
use crate::attach::spec::Service;
use crate::attach::spec::{Attachment, NetworkSpec};
use crate::attach::steps::{Ip, Reserved};
use crate::attach::transaction::{Port, Transaction};
use crate::parallel;
use crate::values::Deadline;
use crate::values::FqName;
use crate::values::MacAddr;
use crate::values::{Family, identity};

pub use keep::Kept;

/// One connection of a container to a virtual network that exists.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The runtime's id of the connection.
    pub id: String,
    /// The virtual network.
    pub network: FqName,
    /// Its id.
    pub network_id: Uuid,
    /// The id of its project; nil when that is not known.
    pub project_id: Uuid,
    /// The addresses.
    pub addresses: Vec<EndpointAddress>,
    /// The Ethernet address; it follows from the id without.
    pub mac: Option<MacAddr>,
    /// The MTU in bytes; the kernel's default without.
    pub mtu: Option<u32>,
    /// What people call it.
    pub display_name: String,
    /// Its part in a service chain, which it takes when it is joined. The sandbox is the runtime's:
    /// its forwarding is not changed here.
    pub service: Option<Service>,
    /// The security groups that filter its packets; they must exist.
    pub security_groups: Vec<FqName>,
}

/// An address of an endpoint, at most one of each family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointAddress {
    /// The address.
    pub address: IpAddr,
    /// The instance IP that has been set aside for it: it is taken over, and stays behind when the
    /// endpoint goes.
    pub reserved: Option<Uuid>,
}

/// An endpoint as the API knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its addresses, IPv4 first.
    pub addresses: Vec<EndpointAddress>,
    /// The Ethernet address.
    pub mac: Option<MacAddr>,
    /// The virtual machine, if it has joined one.
    pub vm: Option<Uuid>,
}

/// The interface that the runtime is to move into the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Its name on the host.
    pub ifname: String,
    /// The id of the virtual machine.
    pub vm: Uuid,
}

impl Endpoint {
    pub(crate) fn attachment(&self) -> Attachment {
        Attachment {
            container: self.id.clone(),
            ifname: String::new(),
            netns: PathBuf::new(),
            network: NetworkSpec {
                fq_name: self.network.clone(),
                subnets: Vec::new(),
            },
            addresses: self.addresses.iter().map(|a| a.address).collect(),
            mac: self.mac,
            mtu: self.mtu,
            configuration: String::new(),
            display_name: self.display_name.clone(),
            routes: Vec::new(),
            service: self.service.clone(),
            security_groups: self.security_groups.clone(),
        }
    }
}

impl Attacher {
    /// The id of an endpoint's VM interface, of its agent port and its port file.
    pub fn endpoint_interface(&self, endpoint: &str) -> Uuid {
        identity::interface(self.host.node(), endpoint, "")
    }

    /// The id of the virtual machine that stands for a sandbox.
    pub fn sandbox_machine(&self, sandbox: &str) -> Uuid {
        identity::virtual_machine(self.host.node(), sandbox)
    }

    /// The first half: VM interface and instance IPs. One request, and one for each address. Returns
    /// the Ethernet address.
    ///
    /// # Errors
    /// [`Error::AddressInUse`](crate::Error::AddressInUse) when another interface has an address,
    /// [`Error::MissingReference`](crate::Error::MissingReference) when the network is gone. What was done is undone.
    pub fn create_endpoint(&self, endpoint: &Endpoint) -> Result<MacAddr> {
        let attachment = endpoint.attachment();
        self.endpoint_call(endpoint, Uuid::nil(), &attachment, |call, port| {
            call.create_interface(&port)?;
            let mac = port.mac;
            call.take_addresses(endpoint, port)?;
            Ok(mac)
        })
    }

    /// The second half: the virtual machine of the sandbox, the veth pair with both ends on this host,
    /// and the agent's port. Two requests to the API and two to the agent.
    ///
    /// # Errors
    /// What was done is undone; the first half stays.
    pub fn join_endpoint(&self, endpoint: &Endpoint, sandbox: &str) -> Result<Joined> {
        let vm = self.sandbox_machine(sandbox);
        let attachment = endpoint.attachment();
        self.endpoint_call(endpoint, vm, &attachment, |call, port| {
            let link_machine = || {
                let interface = port.id;
                call.create_machine(&attachment)?;
                call.attempt(Step::Membership { interface, vm }, || {
                    call.link_machine(&port)
                })
            };
            let (link, machine) = parallel::both(|| call.create_link(&port, None), link_machine);
            link.and(machine)?;
            call.tell_agent(endpoint, &port)?;
            if let Some(service) = &endpoint.service {
                call.serve(&port, service)?;
            }
            Ok(Joined {
                ifname: port.container_ifname,
                vm,
            })
        })
    }

    /// Takes the second half back: agent port, link, and the role that the endpoint took when it joined. No
    /// request to the API if it took none. What it is a member of otherwise it leaves with
    /// [`Attacher::delete_endpoint`].
    ///
    /// # Errors
    /// As [`Attacher::detach`].
    pub fn leave_endpoint(&self, endpoint: &str) -> Result<Detached> {
        let id = self.endpoint_interface(endpoint);
        let steps = vec![
            Step::AgentPort(id),
            Step::Link(id),
            Step::Role { interface: id },
        ];
        let deadline = Deadline::after(self.host.detach_timeout);
        let _lock = self.lock(&[id], deadline)?;
        self.run_steps(id, steps, deadline)
    }

    /// Takes everything of an endpoint back. Four requests to the API and one to the agent; one more,
    /// and one for each address, when the caller does not know the virtual machine; more for a member of a
    /// service. Reserved instance IPs stay.
    ///
    /// # Errors
    /// As [`Attacher::detach`].
    pub fn delete_endpoint(
        &self,
        endpoint: &str,
        vm: Option<Uuid>,
        reserved: &[Uuid],
    ) -> Result<Detached> {
        returns::sweep(&self.host.run_dir);
        let id = self.endpoint_interface(endpoint);
        let deadline = Deadline::after(self.host.detach_timeout);
        let _lock = self.lock(&[id], deadline)?;
        match vm {
            Some(vm) => self.take_away_of(id, Some(vm), reserved, deadline),
            None => self.take_away_found(id, None, reserved, deadline),
        }
    }

    /// Takes everything of an interface away, with the virtual machine and the reserved instance IPs
    /// that the API knows of it, or else with this machine. The caller has the interface's lock.
    pub(crate) fn take_away_found(
        &self,
        interface: Uuid,
        machine: Option<Uuid>,
        reserved: &[Uuid],
        deadline: Deadline,
    ) -> Result<Detached> {
        let (vm, mut found) = self.recover_endpoint(interface, deadline);
        found.extend(reserved);
        self.take_away_of(interface, vm.or(machine), &found, deadline)
    }

    fn take_away_of(
        &self,
        interface: Uuid,
        vm: Option<Uuid>,
        reserved: &[Uuid],
        deadline: Deadline,
    ) -> Result<Detached> {
        let families: &[Family] = match reserved {
            [] => &[Family::V4],
            _ => &[],
        };
        let mut steps = Step::of_interface(interface, families);
        let kept = reserved.iter().map(|&ip| Step::Reserved { ip, interface });
        steps.extend(kept);
        steps.extend(vm.map(Step::Machine));
        self.run_steps(interface, steps, deadline)
    }

    /// What the API knows of an endpoint whose first half was done; for a caller that has lost its own
    /// notes. One request, and one for each address.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn find_endpoint(&self, endpoint: &str, deadline: Deadline) -> Result<Option<Found>> {
        let id = self.endpoint_interface(endpoint);
        let client = self.client(deadline);
        let fields = [
            "virtual_machine_interface_mac_addresses",
            "virtual_machine_refs",
            "instance_ip_back_refs",
        ];
        let found = client.get_opt_with::<VirtualMachineInterface>(id, &fields)?;
        let Some(object) = found else {
            return Ok(None);
        };
        let mut addresses = Vec::new();
        for ip in object.instance_ip_back_refs.iter().filter_map(|ip| ip.uuid) {
            let ip: InstanceIp = client.get(ip)?;
            if ip.service_instance_ip {
                continue;
            }
            let reserved = self.host.maker.reserved_for(&ip.meta).and(ip.meta.uuid);
            addresses.extend(
                ip.address
                    .map(|address| EndpointAddress { address, reserved }),
            );
        }
        addresses.sort_by_key(|found| found.address);
        Ok(Some(Found {
            addresses,
            mac: object.mac(),
            vm: object.virtual_machine_refs.first().and_then(|vm| vm.uuid),
        }))
    }

    /// The virtual machine of an interface and the instance IPs that it has taken over, asked of the
    /// API; nothing when it cannot be asked, or does not know.
    fn recover_endpoint(&self, interface: Uuid, deadline: Deadline) -> (Option<Uuid>, Vec<Uuid>) {
        let client = self.client(deadline);
        let fields = ["virtual_machine_refs", "instance_ip_back_refs"];
        let Ok(object) = client.get_with::<VirtualMachineInterface>(interface, &fields) else {
            return (None, Vec::new());
        };
        let vm = object.virtual_machine_refs.first().and_then(|vm| vm.uuid);
        let own = Family::ALL.map(|family| identity::instance_ip(interface, family));
        let ips = object.instance_ip_back_refs.iter().filter_map(|ip| ip.uuid);
        let others = ips.filter(|ip| !own.contains(ip));
        let is_reserved = |ip: &Uuid| {
            let found = client.get_with::<InstanceIp>(*ip, &["annotations"]);
            found.is_ok_and(|ip| self.host.maker.reserved_for(&ip.meta).is_some())
        };
        (vm, others.filter(is_reserved).collect())
    }

    /// Runs one half under the endpoint's lock; undoes it when it fails.
    fn endpoint_call<'a, T>(
        &self,
        endpoint: &Endpoint,
        vm: Uuid,
        attachment: &'a Attachment,
        half: impl FnOnce(&Transaction, Port<'a>) -> Result<T>,
    ) -> Result<T> {
        let ends = Deadline::with_undo(self.host.attach_timeout);
        let port = self.endpoint_port(endpoint, attachment);
        let _lock = self.lock(&[port.id], ends.0)?;
        let call = Transaction::new(&self.host, &self.backend, (vm, vec![port.id]), ends);
        call.run(|| half(&call, port))
    }

    pub(crate) fn endpoint_port<'a>(
        &self,
        endpoint: &Endpoint,
        attachment: &'a Attachment,
    ) -> Port<'a> {
        let mut port = Port::new(&self.host, attachment);
        port.container_ifname = format!("cnt{}", &port.host_ifname[3..]);
        port.object.meta.display_name = Some(endpoint.display_name.clone());
        port
    }

    fn run_steps(&self, interface: Uuid, steps: Vec<Step>, deadline: Deadline) -> Result<Detached> {
        let failed = removal::run(&self.backend, &self.host, steps.clone(), deadline);
        self.settle(&[interface], &steps, failed)
    }
}

impl Transaction<'_> {
    /// Creates the endpoint's instance IPs, or hands it those that were set aside.
    pub(crate) fn take_addresses(&self, endpoint: &Endpoint, port: Port) -> Result<()> {
        let interface = port.id;
        let reserved = Reserved {
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
                    &reserved,
                    &Ip {
                        id: identity::instance_ip(interface, family),
                        family,
                        asked: Some(*address),
                    },
                )?,
                Some(ip) => {
                    let name = reserved.port.object.fq_name().clone();
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
    pub(crate) fn agent_port(&self, endpoint: &Endpoint, port: &Port) -> agent::Port {
        let address = |family| {
            let mut addresses = endpoint.addresses.iter().map(|a| a.address);
            addresses.find(|&address| Family::of(address) == family)
        };
        agent::Port {
            id: port.id,
            instance_id: self.vm,
            vn_id: endpoint.network_id,
            project_id: Some(endpoint.project_id).filter(|id| !id.is_nil()),
            display_name: endpoint.display_name.clone(),
            address: address(Family::V4).and_then(ipv4),
            address6: address(Family::V6).and_then(ipv6),
            mac: port.mac,
            host_ifname: port.host_ifname.clone(),
        }
    }

    fn tell_agent(&self, endpoint: &Endpoint, port: &Port) -> Result<()> {
        let port = self.agent_port(endpoint, port);
        let agent = self.backend.agent.until(self.deadline);
        self.attempt(Step::AgentPort(port.id), || agent.add(&port))
    }
}
