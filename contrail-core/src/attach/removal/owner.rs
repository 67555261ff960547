//! Whose the objects of an interface are. Their ids follow from the host's name, so those of another machine with
//! the same name have the same ids. The mark on the VM interface tells them apart.

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

/// The same before a removal. The API is not asked if this host has the interface's link: then it is its own.
pub(super) fn is_foreign(
    backend: &Backend,
    host: &Host,
    interface: Uuid,
    deadline: Deadline,
) -> Result<bool> {
    let link = identity::host_ifname(interface);
    // What the kernel does not tell, the API does.
    if backend.dataplane.has_link(&link).unwrap_or(false) {
        return Ok(false);
    }
    is_of_other_machine(backend, host, interface, deadline)
}

impl Step {
    /// The interface whose removal from the API begins with this step.
    pub(super) fn begins(&self) -> Option<Uuid> {
        match self {
            Step::Service { interface } => Some(*interface),
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
