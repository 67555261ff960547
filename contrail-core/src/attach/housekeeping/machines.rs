//! Virtual machines that this program made on this host and that have no interface: what the API created
//! for an attach that was killed, after everything else of it was removed.
//!
//! They may be removed at once. One that is being attached now looks the same, and is created again when
//! its interface is linked to it.

use uuid::Uuid;

use crate::api::objects::VirtualMachine;
use crate::api::{ListQuery, Resource};
use crate::attach::attacher::Attacher;
use crate::attach::error::Result;
use crate::attach::housekeeping::fate::Fate;
use crate::attach::records::nodes;
use crate::error::Error;
use crate::ownership::mark::CONTAINER;
use crate::values::Deadline;

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
        let nodes = nodes::known(&self.host.state_dir, self.host.node());
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
    pub(crate) fn remove_idle(&self, machine: &IdleMachine, deadline: Deadline) -> Fate {
        match self.client(deadline).delete::<VirtualMachine>(machine.id) {
            Ok(_) => Fate::Removed,
            Err(Error::InUse { .. }) => Fate::Stays,
            Err(error) => Fate::Failed(error.into()),
        }
    }

    fn machine_made_here(&self, object: &VirtualMachine, nodes: &[String]) -> Option<IdleMachine> {
        self.host.maker.made(&object.meta, nodes)?;
        let container = object.meta.annotations.get(CONTAINER)?;
        Some(IdleMachine {
            id: object.uuid()?,
            container: container.to_owned(),
        })
    }
}
