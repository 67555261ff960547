//! Virtual machines that this program made on this host and that have no interface: what the API made of
//! the request of an attach that had been killed, after everything else of it was taken away.
//!
//! They may go at once. One that is being attached at this moment looks the same, and is made again when
//! its interface is linked to it.

use uuid::Uuid;

use super::{Attacher, Fate, nodes, objects};
use crate::api::objects::VirtualMachine;
use crate::api::{ListQuery, Resource};
use crate::deadline::Deadline;
use crate::error::{Error, Result};

/// A virtual machine without interfaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdleMachine {
    /// Its id.
    pub id: Uuid,
    /// The container that it was made for, as its runtime calls it.
    pub container: String,
}

impl Attacher {
    /// The virtual machines of this host that have no interface. One request.
    ///
    /// # Errors
    /// When the API or the state directory cannot be used.
    pub fn idle_machines(&self, deadline: Deadline) -> Result<Vec<IdleMachine>> {
        let nodes = nodes::known(&self.host.state_dir, &self.host.node)?;
        let fields = ["annotations", "virtual_machine_interface_back_refs"];
        let query = ListQuery::all().fields(&fields);
        let all: Vec<VirtualMachine> = self.client(deadline).list(&query)?;
        let idle = all
            .iter()
            .filter(|machine| machine.virtual_machine_interface_back_refs.is_empty());
        let ours = idle.filter_map(|machine| self.machine_made_here(machine, &nodes));
        Ok(ours.collect())
    }

    /// Removes a virtual machine, unless it has interfaces by now.
    pub(super) fn remove_idle(&self, machine: &IdleMachine, deadline: Deadline) -> Fate {
        match self.client(deadline).delete::<VirtualMachine>(machine.id) {
            Ok(_) => Fate::Removed,
            Err(Error::InUse { .. }) => Fate::Stays,
            Err(error) => Fate::Failed(error),
        }
    }

    fn machine_made_here(&self, object: &VirtualMachine, nodes: &[String]) -> Option<IdleMachine> {
        let get = |key| object.meta.annotations.get(key);
        let node = get(objects::NODE)?;
        let is_ours = get(objects::OWNER) == Some(&self.host.owner)
            && nodes.iter().any(|known| known == node)
            && !objects::is_of_other_machine(&self.host, &object.meta);
        let container = get(objects::CONTAINER).filter(|_| is_ours)?;
        Some(IdleMachine {
            id: object.uuid()?,
            container: container.to_owned(),
        })
    }
}
