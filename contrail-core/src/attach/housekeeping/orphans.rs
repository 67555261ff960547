//! Orphans: VM interfaces that this program made on this host and whose link is gone, because the
//! runtime did not report that their container has ended.
//!
//! They are removed in two phases. The first check records them, and a later one removes those that have
//! been orphans since: what was being attached or detached at the first check has long ended.

use std::time::{Duration, SystemTime};

use uuid::Uuid;

use crate::api::objects::VirtualMachineInterface;
use crate::api::{ListQuery, Resource};
use crate::attach::attacher::Attacher;
use crate::attach::error::Result;
use crate::attach::records::{nodes, orphans as notes};
use crate::ownership::Holder;
use crate::state::lock::InterfaceLock;
use crate::values::Deadline;
use crate::values::FqName;
use crate::values::identity;

/// A VM interface without a link on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// Its id.
    pub interface: Uuid,
    /// What it was made for.
    pub holder: Holder,
    /// When it was first recorded.
    pub since: SystemTime,
}

/// A VM interface that this program made on this host.
pub(crate) struct MadeHere {
    pub(crate) interface: Uuid,
    pub(crate) holder: Holder,
    /// The virtual machine, where its id follows from the container's.
    machine: Option<Uuid>,
}

impl Attacher {
    /// The orphans among the VM interfaces of a project, the one first that was recorded first.
    /// Records new orphans and forgets resolved ones.
    ///
    /// One request. The links are looked for in the calling process's network namespace: in any
    /// other namespace than the plugin's, all interfaces would look like orphans.
    ///
    /// # Errors
    /// When the API, the kernel or the state directory cannot be used.
    pub fn orphans(&self, project: &FqName, deadline: Deadline) -> Result<Vec<Orphan>> {
        let state_dir = &self.host.state_dir;
        let nodes = nodes::known(state_dir, self.host.node());
        let query = ListQuery::children_of("project", project.clone()).fields(&["annotations"]);
        let all: Vec<VirtualMachineInterface> = self.client(deadline).list(&query)?;
        let mut orphans = Vec::new();
        for object in &all {
            let Some(made) = self.made_here(object, &nodes) else {
                continue;
            };
            let interface = made.interface;
            if self.is_linked(interface)? || !self.is_free(interface)? {
                continue;
            }
            orphans.push(Orphan {
                interface,
                holder: made.holder,
                since: notes::note(state_dir, interface, project)?,
            });
        }
        let still: Vec<Uuid> = orphans.iter().map(|orphan| orphan.interface).collect();
        notes::keep_only(state_dir, project, &still)?;
        orphans.sort_by_key(|orphan| orphan.since);
        Ok(orphans)
    }

    /// Removes an orphan that was recorded at least `grace` ago, if it still is one. Returns whether it
    /// was removed, or its removal deferred until the API and the agent can be reached.
    ///
    /// # Errors
    /// As [`Attacher::detach`].
    pub fn remove_orphan(
        &self,
        orphan: &Orphan,
        grace: Duration,
        deadline: Deadline,
    ) -> Result<bool> {
        let age = orphan.since.elapsed().unwrap_or_default();
        let id = orphan.interface;
        if age < grace {
            return Ok(false);
        }
        let _lock = self.lock(&[id], deadline)?;
        let nodes = nodes::known(&self.host.state_dir, self.host.node());
        let object: Option<VirtualMachineInterface> = self.client(deadline).get_opt(id)?;
        let made = object.and_then(|object| self.made_here(&object, &nodes));
        let Some(made) = made else {
            return Ok(false);
        };
        if self.is_linked(id)? {
            return Ok(false);
        }
        log::info!(
            "{} no longer exists: removing its VM interface {id}",
            orphan.holder
        );
        self.take_away_found(id, made.machine, &[], deadline)?;
        Ok(true)
    }

    /// What a VM interface is that this program made on this host: the mark says so, and the id follows
    /// from what the mark says.
    pub(crate) fn made_here(
        &self,
        object: &VirtualMachineInterface,
        nodes: &[String],
    ) -> Option<MadeHere> {
        // A name that this host has had may belong to another host now.
        let node = self.host.maker.made(&object.meta, nodes)?;
        let holder = Holder::of(&object.meta)?;
        let interface = holder.interface(node);
        (object.uuid() == Some(interface)).then(|| MadeHere {
            interface,
            machine: holder.machine(node),
            holder,
        })
    }

    fn is_linked(&self, interface: Uuid) -> Result<bool> {
        let name = identity::host_ifname(interface);
        Ok(self.backend.dataplane.link(None, &name)?.is_some())
    }

    /// Whether no other call is working on an interface now.
    pub(crate) fn is_free(&self, interface: Uuid) -> crate::Result<bool> {
        let lock = InterfaceLock::try_acquire(&self.host.run_dir, interface)?;
        Ok(lock.is_some())
    }
}
