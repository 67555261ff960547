//! The removal steps: one thing to remove each, as a value that rollback, detach and clean-up share.
//!
//! Every step succeeds if there is nothing to remove, so the same list may run any number of times.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{Family, identity};

/// One thing to remove. The variants are in the order in which they are removed, first what forwards packets, then
/// what refers to others, last what is referred to; `Step::turn` says which go in parallel.
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
    #[serde(rename = "membership")]
    MachineLink {
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
    /// made and that have no other user.
    Networks {
        /// The VM interface.
        interface: Uuid,
    },
}

/// When a step runs. Steps of one turn depend on none of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Turn {
    /// Before all others.
    First,
    /// In parallel with the rounds: the kernel takes about 20 ms to delete a link, waiting without a
    /// lock.
    Beside,
    /// In this round, after the one before it.
    Round(u8),
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
            Step::MachineLink { interface, vm } => {
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
            | Step::MachineLink { interface: id, .. }
            | Step::Service { interface: id }
            | Step::Role { interface: id }
            | Step::Networks { interface: id } => *id == interface,
            Step::InstanceIp(id) => Family::ALL
                .iter()
                .any(|&f| identity::instance_ip(interface, f) == *id),
            Step::Machine(_) => true,
        }
    }

    /// When the step runs. Whether an interface is a member of a service is asked while its instance IPs
    /// go: the chains survive because it leaves before it is deleted.
    pub(crate) fn turn(&self) -> Turn {
        match self {
            Step::AgentPort(_) => Turn::First,
            Step::Link(_) => Turn::Beside,
            Step::Service { .. }
            | Step::Role { .. }
            | Step::InstanceIp(_)
            | Step::Reserved { .. } => Turn::Round(0),
            Step::MachineLink { .. } => Turn::Round(1),
            Step::Interface(_) => Turn::Round(2),
            Step::Machine(_) => Turn::Round(3),
            Step::Networks { .. } => Turn::Round(4),
        }
    }

    /// Whether the step must wait until the other one has worked: it would be refused, or succeed
    /// without having done what it should. The objects of an interface wait for its service step, with which
    /// the removal begins: whose they are may be unknown.
    pub(crate) fn waits_for(&self, other: &Step) -> bool {
        match (self, other) {
            (own, Step::Service { interface }) if own != other => own.is_of_objects(*interface),
            (Step::Networks { interface: own }, Step::Interface(interface)) => own == interface,
            (Step::Machine(_), Step::Interface(_)) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_forwards_is_removed_first_and_what_is_referred_to_last() {
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
    fn a_step_runs_in_the_order_of_the_variants_and_after_what_it_waits_for() {
        let id = Uuid::from_u128(1);
        let mut steps = Step::of_interface(id, &Family::ALL);
        steps.extend([
            Step::Role { interface: id },
            Step::Reserved {
                ip: id,
                interface: id,
            },
            Step::MachineLink {
                interface: id,
                vm: id,
            },
            Step::Machine(id),
        ]);
        steps.sort();
        assert!(steps.is_sorted_by_key(Step::turn));
        for (own, other) in steps.iter().flat_map(|a| steps.iter().map(move |b| (a, b))) {
            let is_later = match other {
                // Its question has a turn of its own.
                Step::Service { .. } => own.turn() >= other.turn(),
                _ => own.turn() > other.turn(),
            };
            assert!(!own.waits_for(other) || is_later, "{own} waits for {other}");
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
