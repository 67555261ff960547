//! The typed steps that take an attachment apart, run by rollback, detach and clean-up alike.
//!
//! Every step succeeds when there is nothing to remove, so the same list may run any number of times.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Backend, Host, departure, membership, objects};
use crate::api::objects::{InstanceIp, VirtualMachine, VirtualMachineInterface};
use crate::api::{Client, Resource};
use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::fq_name::FqName;
use crate::identity::{self, Family};
use crate::parallel;

/// One thing to remove. The order of the variants is the order in which they are removed: first what
/// forwards packets, then what refers to others, last what is referred to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The vRouter agent's port, and its file.
    AgentPort(Uuid),
    /// The veth pair.
    Link(Uuid),
    /// The membership of a VM interface in service instances, with what was made for it alone. All ports
    /// of the container leave with it.
    Service {
        /// The VM interface.
        interface: Uuid,
    },
    /// The role that a VM interface which stays for a while took when it was attached.
    Role {
        /// The VM interface.
        interface: Uuid,
    },
    /// An instance IP.
    InstanceIp(Uuid),
    /// The use of an instance IP that outlives the interface.
    Reserved {
        /// The instance IP.
        ip: Uuid,
        /// The VM interface that has it.
        interface: Uuid,
    },
    /// The link of a VM interface that stays to its virtual machine.
    Membership {
        /// The VM interface.
        interface: Uuid,
        /// The virtual machine.
        vm: Uuid,
    },
    /// A VM interface, with the instance IPs that are its own by computed id.
    Interface(Uuid),
    /// A virtual machine, unless it has other interfaces.
    Machine(Uuid),
    /// The use of virtual networks by a VM interface that is gone, with those of them that the plugins
    /// made and nobody uses any more.
    Networks {
        /// The VM interface.
        interface: Uuid,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::AgentPort(id) => write!(f, "agent port {id}"),
            Step::Link(id) => write!(f, "link {}", identity::host_ifname(*id)),
            Step::Service { interface } => {
                write!(f, "service membership of VM interface {interface}")
            }
            Step::Role { interface } => {
                write!(f, "role of VM interface {interface} in a service")
            }
            Step::InstanceIp(id) => write!(f, "instance IP {id}"),
            Step::Reserved { ip, interface } => {
                write!(f, "use of instance IP {ip} by VM interface {interface}")
            }
            Step::Membership { interface, vm } => {
                write!(
                    f,
                    "link of VM interface {interface} to virtual machine {vm}"
                )
            }
            Step::Interface(id) => write!(f, "VM interface {id}"),
            Step::Machine(id) => write!(f, "virtual machine {id}"),
            Step::Networks { interface } => {
                write!(f, "use of its virtual networks by VM interface {interface}")
            }
        }
    }
}

impl Step {
    /// What an interface of a container consists of, apart from its virtual machine.
    pub fn of_interface(interface: Uuid, families: &[Family]) -> Vec<Step> {
        let mut steps = vec![
            Step::AgentPort(interface),
            Step::Link(interface),
            Step::Service { interface },
            Step::Interface(interface),
        ];
        let ips = families
            .iter()
            .map(|&f| Step::InstanceIp(identity::instance_ip(interface, f)));
        steps.extend(ips);
        steps.push(Step::Networks { interface });
        steps
    }

    /// Whether the step takes part in removing this interface; what interfaces share belongs to each.
    pub fn belongs_to(&self, interface: Uuid) -> bool {
        match self {
            Step::AgentPort(id)
            | Step::Link(id)
            | Step::Interface(id)
            | Step::Reserved { interface: id, .. }
            | Step::Membership { interface: id, .. }
            | Step::Service { interface: id }
            | Step::Role { interface: id }
            | Step::Networks { interface: id } => *id == interface,
            Step::InstanceIp(id) => Family::ALL
                .iter()
                .any(|&f| identity::instance_ip(interface, f) == *id),
            Step::Machine(_) => true,
        }
    }

    /// Steps of one round depend on none of each other. Whether an interface is a member of a service is
    /// asked while its instance IPs go: what keeps the chains is that it leaves before it goes itself.
    fn round(&self) -> u8 {
        match self {
            Step::AgentPort(_) => 0,
            Step::Link(_) => 1,
            Step::Service { .. }
            | Step::Role { .. }
            | Step::InstanceIp(_)
            | Step::Reserved { .. } => 2,
            Step::Membership { .. } => 3,
            Step::Interface(_) => 4,
            Step::Machine(_) => 5,
            Step::Networks { .. } => 6,
        }
    }

    /// Whether the step must wait until the other one has worked: it would be refused, or succeed
    /// without having done what it should.
    fn waits_for(&self, other: &Step) -> bool {
        match (self, other) {
            (Step::Interface(own), Step::Service { interface })
            | (Step::Networks { interface: own }, Step::Interface(interface)) => own == interface,
            (Step::Machine(_), Step::Interface(_)) => true,
            _ => false,
        }
    }

    fn run(&self, backend: &Backend, host: &Host, deadline: Deadline) -> Result<()> {
        let client = backend.client.until(deadline);
        let was_there = match self {
            Step::AgentPort(id) => backend.agent.until(deadline).delete(*id).map(|()| true),
            // The name has only a part of the id.
            Step::Link(id) => backend
                .dataplane
                .delete_link(&identity::host_ifname(*id), Some(&id.to_string())),
            Step::InstanceIp(id) => client.delete::<InstanceIp>(*id),
            Step::Reserved { ip, interface } => {
                unlink::<InstanceIp, VirtualMachineInterface>(&client, *ip, *interface)
            }
            Step::Membership { interface, vm } => {
                unlink::<VirtualMachineInterface, VirtualMachine>(&client, *interface, *vm)
            }
            Step::Interface(id) => delete_interface(backend, host, *id, deadline),
            Step::Machine(id) => delete_machine(&client, *id),
            Step::Service { interface } => membership::leave(&client, host, *interface),
            Step::Role { interface } => membership::retire(&client, host, *interface),
            Step::Networks { interface } => departure::leave(&client, &host.state_dir, *interface),
        }?;
        log::debug!(
            "{self}: {}",
            if was_there {
                "removed"
            } else {
                "was not there, or stays"
            }
        );
        Ok(())
    }
}

/// A step that failed, and why.
#[derive(Debug)]
pub struct Failed {
    /// The step, to be tried again.
    pub step: Step,
    /// Why it failed.
    pub error: Error,
}

/// Runs the steps in their order, those of one round at once, and goes on past failures.
///
/// The kernel takes about 20 ms to delete a link, waiting without a lock; the requests to the API go
/// on beside it.
pub(crate) fn run(
    backend: &Backend,
    host: &Host,
    steps: Vec<Step>,
    deadline: Deadline,
) -> Vec<Failed> {
    let run_at_once = |steps| run_at_once(backend, host, steps, deadline);
    let steps: BTreeSet<Step> = steps.into_iter().collect();
    let (links, others): (Vec<Step>, Vec<Step>) = steps
        .into_iter()
        .partition(|step| matches!(step, Step::Link(_)));
    let (ports, objects): (Vec<Step>, Vec<Step>) = others
        .into_iter()
        .partition(|step| matches!(step, Step::AgentPort(_)));

    let mut failed = run_at_once(ports);
    let (failed_links, failed_objects) = parallel::both(
        || run_at_once(links.clone()),
        || {
            let mut failed: Vec<Failed> = Vec::new();
            let mut left: Vec<Step> = Vec::new();
            for round in objects.chunk_by(|a, b| a.round() == b.round()) {
                let must_wait = |step: &&Step| left.iter().any(|other| step.waits_for(other));
                let (waiting, possible): (Vec<&Step>, Vec<&Step>) =
                    round.iter().partition(must_wait);
                let now_failed = run_at_once(possible.into_iter().cloned().collect());
                left.extend(now_failed.iter().map(|failed| failed.step.clone()));
                left.extend(waiting.into_iter().cloned());
                failed.extend(now_failed);
            }
            failed
        },
    );
    failed.extend(failed_objects);
    failed.extend(failed_links);
    failed
}

/// What is left to do after `steps` were run: those that failed, and those that waited for them.
pub(super) fn left_of(steps: &[Step], failed: &[Failed]) -> Vec<Step> {
    let steps: BTreeSet<&Step> = steps.iter().collect();
    let mut left: Vec<Step> = Vec::new();
    for step in steps {
        let has_failed = failed.iter().any(|failed| failed.step == *step);
        if has_failed || left.iter().any(|other| step.waits_for(other)) {
            left.push(step.clone());
        }
    }
    left
}

fn run_at_once(
    backend: &Backend,
    host: &Host,
    steps: Vec<Step>,
    deadline: Deadline,
) -> Vec<Failed> {
    let failed = parallel::map(steps, |step| {
        let error = step.run(backend, host, deadline).err()?;
        Some(Failed { step, error })
    });
    failed.into_iter().flatten().collect()
}

/// Deletes a VM interface. Instance IPs that the caller did not expect still block it: those that are ours
/// by computed id are deleted, those that this host has set aside are taken from it, anybody else's are an
/// error.
fn delete_interface(backend: &Backend, host: &Host, id: Uuid, deadline: Deadline) -> Result<bool> {
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
                if found.is_some_and(|ip| objects::reserved_for(host, &ip.meta).is_some()) {
                    unlink::<InstanceIp, VirtualMachineInterface>(&client, ip, id)?;
                }
            }
            client.delete::<VirtualMachineInterface>(id)
        }
        other => other,
    }
}

/// Removes the reference between two objects that may both stay; one that is gone is fine. The name
/// only has to be one: the id decides.
fn unlink<From: Resource, To: Resource>(client: &Client, from: Uuid, to: Uuid) -> Result<bool> {
    let name = FqName::new([to.to_string()]);
    match client.remove_ref((From::TYPE, from), (To::TYPE, to, &name)) {
        Err(error) if error.is_not_found() => Ok(false),
        other => other.map(|()| true),
    }
}

/// Deletes a virtual machine unless it has other interfaces, which keep it.
fn delete_machine(client: &Client, id: Uuid) -> Result<bool> {
    match client.delete::<VirtualMachine>(id) {
        Err(Error::InUse { by, .. }) => {
            log::debug!("virtual machine {id} stays: it has {}", by.join(", "));
            Ok(false)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_forwards_goes_first_and_what_is_referred_to_last() {
        let id = Uuid::from_u128(1);
        let mut steps = vec![Step::Machine(id)];
        steps.extend(Step::of_interface(id, &[Family::V4]));
        steps.sort();
        let kinds: Vec<String> = steps
            .iter()
            .map(|s| s.to_string().split(' ').next().unwrap().to_owned())
            .collect();
        assert_eq!(
            kinds,
            [
                "agent", "link", "service", "instance", "VM", "virtual", "use"
            ]
        );
        assert_eq!(steps.last(), Some(&Step::Networks { interface: id }));
    }

    #[test]
    fn what_waits_for_a_failed_step_is_left_with_it() {
        let (own, other) = (Uuid::from_u128(1 << 100), Uuid::from_u128(2 << 100));
        let failed = |step| Failed {
            step,
            error: Error::missing("a", "b"),
        };
        let mut steps = Step::of_interface(own, &[Family::V4]);
        steps.extend(Step::of_interface(other, &[Family::V4]));
        steps.push(Step::Machine(own));
        let left = |step| left_of(&steps, &[failed(step)]);
        let networks = Step::Networks { interface: own };
        let after_interface = [Step::Interface(own), Step::Machine(own), networks.clone()];
        assert_eq!(left(Step::Interface(own)), after_interface);
        let service = Step::Service { interface: own };
        let after_service = [&[service.clone()][..], &after_interface].concat();
        assert_eq!(left(service), after_service);
        for alone in [Step::AgentPort(own), Step::Machine(own), networks] {
            assert_eq!(left(alone.clone()), [alone]);
        }
    }

    #[test]
    fn every_step_of_an_interface_belongs_to_it_alone() {
        let (own, other) = (Uuid::from_u128(1 << 100), Uuid::from_u128(2 << 100));
        for step in Step::of_interface(own, &Family::ALL) {
            assert!(step.belongs_to(own) && !step.belongs_to(other), "{step}");
        }
        assert!(Step::Machine(own).belongs_to(other));
    }

    #[test]
    fn steps_survive_being_written_to_disk() {
        let steps = Step::of_interface(Uuid::from_u128(7), &Family::ALL);
        let text = serde_json::to_string(&steps).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Step>>(&text).unwrap(), steps);
    }
}
