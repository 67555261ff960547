//! Whose the objects of an interface are. Their ids follow from the host's name, so those of another machine with
//! the same name have the same ids. The mark on the VM interface tells them apart.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::step::Step;
use crate::api::objects::VirtualMachineInterface;
use crate::attach::attacher::{Backend, Host};
use crate::error::Result;
use crate::values::{Deadline, identity};

/// Whether another machine made a VM interface, as far as its mark says.
pub(crate) fn is_of_other_machine(
    backend: &Backend,
    host: &Host,
    interface: Uuid,
    deadline: Deadline,
) -> Result<bool> {
    let client = backend.client.until(deadline);
    let found = client.get_opt_with::<VirtualMachineInterface>(interface, &["annotations"])?;
    Ok(found.is_some_and(|found| host.maker.is_of_other_machine(&found.meta)))
}

/// What shows that the objects of an interface are this host's, before they are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The link of the interface on this host, else the mark.
    LinkOrMark,
    /// The mark alone: of an attachment that failed, the link may be this host's and the objects another's.
    Mark,
    /// It is known: the mark has just been read, or an engine chose the id at random.
    Known,
}

impl Proof {
    /// Whether another machine made the VM interface.
    pub(super) fn is_foreign(
        self,
        backend: &Backend,
        host: &Host,
        interface: Uuid,
        deadline: Deadline,
    ) -> Result<bool> {
        let link = identity::host_ifname(interface);
        match self {
            Self::Known => Ok(false),
            // What the kernel does not tell, the API does.
            Self::LinkOrMark if backend.dataplane.has_link(&link).unwrap_or(false) => Ok(false),
            Self::LinkOrMark | Self::Mark => {
                is_of_other_machine(backend, host, interface, deadline)
            }
        }
    }

    /// The steps before which it is asked: those with which the removal of an interface from the API begins.
    pub(super) fn asked(self, steps: &[Step]) -> Vec<Step> {
        let first = |interface: Uuid| {
            let of_it = |step: &&Step| step.removes() == Some(interface);
            steps.iter().filter(of_it).min_by_key(|step| step.turn())
        };
        let interfaces: BTreeSet<Uuid> = match self {
            Self::Known => BTreeSet::new(),
            Self::LinkOrMark | Self::Mark => steps.iter().filter_map(Step::removes).collect(),
        };
        interfaces.into_iter().filter_map(first).cloned().collect()
    }
}

impl Step {
    /// The interface whose removal from the API may begin with this step.
    pub(super) fn removes(&self) -> Option<Uuid> {
        match self {
            Step::Service { interface } | Step::Interface(interface) => Some(*interface),
            _ => None,
        }
    }

    /// Whether the step changes an object of this interface at the API.
    pub(super) fn is_of_objects(&self, interface: Uuid) -> bool {
        let elsewhere = matches!(
            self,
            Step::AgentPort(_) | Step::Link(_) | Step::Machine(_) | Step::Networks { .. }
        );
        !elsewhere && self.belongs_to(interface)
    }
}
