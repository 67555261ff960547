//! The two halves of an endpoint: creating and removing each of them.

use uuid::Uuid;

use super::spec::{Endpoint, EndpointAddress, FoundEndpoint, Joined};
use crate::api::objects::{InstanceIp, VirtualMachineInterface};
use crate::attach::attacher::Attacher;
use crate::attach::error::Result;
use crate::attach::port::Port;
use crate::attach::records::returns;
use crate::attach::removal::Detached;
use crate::attach::removal::{self, Proof, Step};
use crate::attach::spec::InterfaceOptions;
use crate::attach::transaction::Transaction;
use crate::ownership::Holder;
use crate::parallel;
use crate::values::Deadline;
use crate::values::MacAddr;
use crate::values::{Family, identity};

impl Attacher {
    /// The id of an endpoint's VM interface, of its agent port and its port file.
    pub fn endpoint_interface(&self, endpoint: &str) -> Uuid {
        let id = endpoint.to_owned();
        Holder::Endpoint { id }.interface(self.host.node())
    }

    /// The id of the virtual machine that represents a sandbox.
    pub fn sandbox_machine(&self, sandbox: &str) -> Uuid {
        identity::virtual_machine(self.host.node(), sandbox)
    }

    /// The first half: VM interface and instance IPs. One request, and one for each address. Returns
    /// the Ethernet address.
    ///
    /// # Errors
    /// [`Error::AddressInUse`](crate::Error::AddressInUse) when an address is taken, [`Error::NotFound`](crate::Error::NotFound) of kind `reference`
    /// when the network is gone. What was done is undone.
    pub fn create_endpoint(&self, endpoint: &Endpoint) -> Result<MacAddr> {
        identity::check_node(self.host.node())?;
        self.transact(endpoint, |transaction, port| {
            transaction.create_interface(&port)?;
            let mac = port.mac;
            transaction.take_addresses(endpoint, port)?;
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
        self.transact(endpoint, |transaction, port| {
            let link_machine = || {
                let interface = port.id;
                transaction.create_machine(vm, &port.wanted)?;
                transaction.attempt(Step::MachineLink { interface, vm }, || {
                    transaction.link_machine(&port, vm)
                })
            };
            let (link, machine) =
                parallel::both(|| transaction.create_link(&port, None), link_machine);
            link.and(machine)?;
            transaction.tell_agent(endpoint, &port, vm)?;
            if let Some(service) = &endpoint.service {
                transaction.serve(&port, vm, service)?;
            }
            Ok(Joined {
                ifname: port.container_ifname,
                vm,
            })
        })
    }

    /// Removes the second half: agent port, link, and the role that the endpoint took when it joined. No
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

    /// Removes everything of an endpoint. Four requests to the API and one to the agent; one more,
    /// and one for each address, when the caller does not know the virtual machine; more for a member of a
    /// service. Created instance IPs stay.
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

    /// Removes everything of an interface, with the virtual machine and the reserved instance IPs
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
    /// records. One request, and one for each address.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn find_endpoint(
        &self,
        endpoint: &str,
        deadline: Deadline,
    ) -> Result<Option<FoundEndpoint>> {
        let id = self.endpoint_interface(endpoint);
        let client = self.client(deadline);
        let fields = [
            "virtual_machine_interface_mac_addresses",
            "virtual_machine_refs",
            "instance_ip_back_refs",
            "security_group_refs",
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
        Ok(Some(FoundEndpoint {
            addresses,
            mac: object.mac(),
            vm: object.virtual_machine_refs.first().and_then(|vm| vm.uuid),
            options: InterfaceOptions {
                security_groups: object
                    .security_group_refs
                    .into_iter()
                    .filter_map(|group| group.to)
                    .collect(),
            },
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
    fn transact<T>(
        &self,
        endpoint: &Endpoint,
        half: impl FnOnce(&Transaction, Port) -> Result<T>,
    ) -> Result<T> {
        let ends = Deadline::with_undo(self.host.attach_timeout);
        let port = Port::new(&self.host, endpoint.into());
        let _lock = self.lock(&[port.id], ends.0)?;
        let transaction = Transaction::new(&self.host, &self.backend, vec![port.id], ends);
        transaction.run(|| half(&transaction, port))
    }

    fn run_steps(&self, interface: Uuid, steps: Vec<Step>, deadline: Deadline) -> Result<Detached> {
        let failed = removal::run(
            &self.backend,
            &self.host,
            steps.clone(),
            Proof::Known,
            deadline,
        );
        self.defer_failed(&[interface], &steps, failed)
    }
}
