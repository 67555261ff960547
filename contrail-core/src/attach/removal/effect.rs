//! What each removal step does to the API, the agent and the kernel.

use uuid::Uuid;

use super::step::Step;
use crate::api::objects::{InstanceIp, VirtualMachine, VirtualMachineInterface};
use crate::api::{Client, Resource};
use crate::attach::attacher::{Backend, Host};
use crate::attach::error::Result;
use crate::attach::membership;
use crate::attach::network;
use crate::error::Error;
use crate::values::{Deadline, Family, FqName, identity};

impl Step {
    /// Carries out the step.
    pub(crate) fn run(&self, backend: &Backend, host: &Host, deadline: Deadline) -> Result<()> {
        let client = backend.client.until(deadline);
        let was_there = match self {
            Step::AgentPort(id) => backend.agent.until(deadline).delete(*id).map(|()| true)?,
            // The name has only a part of the id.
            Step::Link(id) => backend
                .dataplane
                .delete_link(&identity::host_ifname(*id), Some(&id.to_string()))?,
            Step::InstanceIp(id) => client.delete::<InstanceIp>(*id)?,
            Step::Reserved { ip, interface } => {
                unlink::<InstanceIp, VirtualMachineInterface>(&client, *ip, *interface)?
            }
            Step::MachineLink { interface, vm } => {
                unlink::<VirtualMachineInterface, VirtualMachine>(&client, *interface, *vm)?
            }
            Step::Interface(id) => {
                let was_there = delete_interface(backend, host, *id, deadline)?;
                membership::end(host, *id)?;
                was_there
            }
            Step::Machine(id) => delete_machine(&client, *id)?,
            Step::Service { interface } => membership::leave(&client, host, *interface)?,
            Step::Role { interface } => membership::retire(&client, host, *interface)?,
            Step::Networks { interface } => {
                network::leave::leave(&client, &host.state_dir, *interface)?
            }
        };
        log::debug!(
            "{self}: {}",
            if was_there {
                "removed"
            } else {
                "did not exist, or was kept"
            }
        );
        Ok(())
    }
}

/// Deletes a VM interface. Instance IPs that the caller did not expect still block it: those that are ours
/// by computed id are deleted, those that this host has reserved are detached from it, any others are an
/// error.
fn delete_interface(
    backend: &Backend,
    host: &Host,
    id: Uuid,
    deadline: Deadline,
) -> crate::Result<bool> {
    let client = backend.client.until(deadline);
    match client.delete::<VirtualMachineInterface>(id) {
        Err(Error::InUse { by, .. }) => {
            log::debug!("VM interface {id} is still in use by {}", by.join(", "));
            let own = Family::ALL.map(|family| identity::instance_ip(id, family));
            for ip in own {
                client.delete::<InstanceIp>(ip)?;
            }
            let ips = by
                .iter()
                .filter_map(|user| user.strip_prefix("instance-ip/"));
            let ips = ips.filter_map(|ip| ip.parse::<Uuid>().ok());
            for ip in ips.filter(|ip| !own.contains(ip)) {
                let found = client.get_opt_with::<InstanceIp>(ip, &["annotations"])?;
                if found.is_some_and(|ip| host.maker.reserved_for(&ip.meta).is_some()) {
                    unlink::<InstanceIp, VirtualMachineInterface>(&client, ip, id)?;
                }
            }
            client.delete::<VirtualMachineInterface>(id)
        }
        other => other,
    }
}

/// Removes the reference between two objects that may both stay; one that is gone is fine. The name
/// only has to be valid: the id decides.
fn unlink<From: Resource, To: Resource>(
    client: &Client,
    from: Uuid,
    to: Uuid,
) -> crate::Result<bool> {
    let name = FqName::new([to.to_string()]);
    match client.remove_ref((From::TYPE, from), (To::TYPE, to, &name)) {
        Err(error) if error.is_not_found() => Ok(false),
        other => other.map(|()| true),
    }
}

/// Deletes a virtual machine unless it has other interfaces, which keep it.
fn delete_machine(client: &Client, id: Uuid) -> crate::Result<bool> {
    match client.delete::<VirtualMachine>(id) {
        Err(Error::InUse { by, .. }) => {
            log::debug!("kept virtual machine {id}: it has {}", by.join(", "));
            Ok(false)
        }
        other => other,
    }
}
