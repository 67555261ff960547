//! Orphans: VM interfaces that this program made on this host and whose link is gone, because nobody
//! told it that their container has ended.
//!
//! They go in two phases. The first look notes them, and a later one removes those that have been
//! orphans all the while: what was being attached or detached at the first look has long ended.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Attacher, nodes, objects};
use crate::api::objects::VirtualMachineInterface;
use crate::api::{ListQuery, Resource};
use crate::deadline::Deadline;
use crate::error::{self, Error, Result};
use crate::fq_name::FqName;
use crate::lock::AttachmentLock;
use crate::{files, identity};

/// A VM interface without a link on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// Its id.
    pub interface: Uuid,
    /// The container, as its runtime calls it; the endpoint of a runtime that has those.
    pub container: String,
    /// The name of the interface in the container; empty for an endpoint.
    pub ifname: String,
    /// When it was noted first.
    pub since: SystemTime,
}

/// A VM interface that this program made on this host.
pub(super) struct MadeHere {
    pub(super) interface: Uuid,
    pub(super) container: String,
    pub(super) ifname: String,
    /// The virtual machine, where its id follows from the container's.
    machine: Option<Uuid>,
}

/// What is noted of an orphan, in a file with its id as name.
#[derive(Serialize, Deserialize)]
struct Note {
    project: FqName,
    since: SystemTime,
}

impl Attacher {
    /// The orphans among the VM interfaces of a project, the one first that was noted first. Those
    /// that are new are noted, and notes of what is none any more are dropped.
    ///
    /// One request. The links are looked for in the calling process's network namespace: in another
    /// one than the plugin's all interfaces would look like orphans.
    ///
    /// # Errors
    /// When the API, the kernel or the state directory cannot be used.
    pub fn orphans(&self, project: &FqName, deadline: Deadline) -> Result<Vec<Orphan>> {
        let nodes = nodes::known(&self.host.state_dir, &self.host.node)?;
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
                container: made.container,
                ifname: made.ifname,
                since: self.note(interface, project)?,
            });
        }
        self.drop_notes(project, &orphans)?;
        orphans.sort_by_key(|orphan| orphan.since);
        Ok(orphans)
    }

    /// Removes an orphan that was noted at least `grace` ago, if it still is one. Returns whether it
    /// was removed, or its removal put off until the API and the agent can be reached.
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
        let nodes = nodes::known(&self.host.state_dir, &self.host.node)?;
        let object: Option<VirtualMachineInterface> = self.client(deadline).get_opt(id)?;
        let made = object.and_then(|object| self.made_here(&object, &nodes));
        let Some(made) = made else {
            return Ok(false);
        };
        if self.is_linked(id)? {
            return Ok(false);
        }
        log::info!(
            "container {} is gone: its VM interface {id} is removed",
            orphan.container
        );
        self.take_away_found(id, made.machine, &[], deadline)?;
        Ok(true)
    }

    /// What a VM interface is that this program made on this host: the mark says so, and the id follows
    /// from what the mark says.
    pub(super) fn made_here(
        &self,
        object: &VirtualMachineInterface,
        nodes: &[String],
    ) -> Option<MadeHere> {
        let get = |key| object.meta.annotations.get(key);
        let node = get(objects::NODE).filter(|node| nodes.iter().any(|known| known == node))?;
        let (container, ifname) = (get(objects::CONTAINER)?, get(objects::IFNAME)?);
        let id = identity::interface(node, container, ifname);
        // A name that this host has had may be another one's now.
        let is_ours = get(objects::OWNER) == Some(&self.host.owner)
            && object.uuid() == Some(id)
            && !objects::is_of_other_machine(&self.host, &object.meta);
        is_ours.then(|| MadeHere {
            interface: id,
            // An endpoint has that of its sandbox.
            machine: (!ifname.is_empty()).then(|| identity::virtual_machine(node, container)),
            container: container.to_owned(),
            ifname: ifname.to_owned(),
        })
    }

    fn is_linked(&self, interface: Uuid) -> Result<bool> {
        let name = identity::host_ifname(interface);
        Ok(self.backend.dataplane.link(None, &name)?.is_some())
    }

    /// Whether nobody is working on an interface just now.
    pub(super) fn is_free(&self, interface: Uuid) -> Result<bool> {
        let lock = AttachmentLock::at_once(&self.host.run_dir, interface)?;
        Ok(lock.is_some())
    }

    /// Notes an orphan, unless it has a note; since when it has one.
    fn note(&self, interface: Uuid, project: &FqName) -> Result<SystemTime> {
        let path = path(&self.host.state_dir, interface);
        if let Some(note) = read(&path)? {
            return Ok(note.since);
        }
        let note = Note {
            project: project.clone(),
            since: SystemTime::now(),
        };
        let text = serde_json::to_vec(&note).map_err(|source| Error::Decode {
            what: format!("the note of orphan {interface}"),
            source,
        })?;
        files::write_private(&path, &text)?;
        Ok(note.since)
    }

    /// Drops the notes of a project's interfaces that are no orphans, or no more.
    fn drop_notes(&self, project: &FqName, orphans: &[Orphan]) -> Result<()> {
        for entry in fs::read_dir(notes(&self.host.state_dir))
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".json"));
            let Some(id) = id.and_then(|id| id.parse::<Uuid>().ok()) else {
                continue;
            };
            let is_orphan = orphans.iter().any(|orphan| orphan.interface == id);
            let path = entry.path();
            if !is_orphan && read(&path)?.is_none_or(|note| note.project == *project) {
                files::remove(&path)?;
            }
        }
        Ok(())
    }
}

/// Drops the note of an interface: it is no orphan any more.
pub(super) fn forget(state_dir: &Path, interface: Uuid) -> Result<()> {
    files::remove(&path(state_dir, interface)).map(|_| ())
}

fn notes(state_dir: &Path) -> PathBuf {
    state_dir.join("orphans")
}

fn path(state_dir: &Path, interface: Uuid) -> PathBuf {
    notes(state_dir).join(format!("{interface}.json"))
}

/// A note; none when it is damaged, so that the time starts anew.
fn read(path: &Path) -> Result<Option<Note>> {
    let text = match files::read_private(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::file("read", path, e)),
    };
    let note = serde_json::from_slice(&text);
    Ok(note
        .inspect_err(|e| log::warn!("{} is damaged: {}", path.display(), error::report(e)))
        .ok())
}
