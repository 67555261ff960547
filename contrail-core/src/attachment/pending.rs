//! Removals that could not be done yet, on disk until they can: the API or the agent was down when a
//! container went away, and the runtime must not wait for them.
//!
//! One file for each interface. Whoever works on one holds that interface's lock, so a container that
//! came back under the same id is never taken apart by an old entry.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Attacher;
use super::undo::{self, Failed, Step};
use crate::deadline::Deadline;
use crate::error::{self, Error, Result};
use crate::files;
use crate::lock::AttachmentLock;

/// How many entries one call works off besides its own job.
const AT_ONCE: usize = 8;

/// What is left to remove for one interface.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    steps: Vec<Step>,
    error: String,
}

/// Keeps the failed steps of an interface. They are on disk when this returns.
pub(super) fn store(state_dir: &Path, interface: Uuid, failed: &[&Failed]) -> Result<()> {
    let pending = Pending {
        steps: failed.iter().map(|f| f.step.clone()).collect(),
        error: failed
            .first()
            .map(|f| error::report(&f.error))
            .unwrap_or_default(),
    };
    let text = serde_json::to_vec(&pending).map_err(|source| Error::Decode {
        what: format!("the pending removal of interface {interface}"),
        source,
    })?;
    files::write_private(&path(state_dir, interface), &text)
}

/// Drops the entry of an interface: somebody is about to make it again, or has removed it.
pub(super) fn forget(state_dir: &Path, interface: Uuid) -> Result<()> {
    files::remove(&path(state_dir, interface)).map(|_| ())
}

impl Attacher {
    /// Works off a few pending removals of earlier calls. What fails again stays.
    ///
    /// Returns how many entries were completed.
    pub fn work_off_pending(&self, deadline: Deadline) -> usize {
        let ids = ids(&self.host.state_dir);
        ids.into_iter()
            .take(AT_ONCE)
            .filter(|&id| self.work_off(id, deadline))
            .count()
    }

    fn work_off(&self, interface: Uuid, deadline: Deadline) -> bool {
        // Somebody who holds the lock is working on this very interface.
        let Ok(_lock) = AttachmentLock::acquire(
            &self.host.run_dir,
            interface,
            Deadline::after(std::time::Duration::ZERO),
        ) else {
            return false;
        };
        let path = path(&self.host.state_dir, interface);
        let Some(pending) = read(&path) else {
            return false;
        };
        let result = self.finish(interface, pending.steps, deadline);
        result.unwrap_or_else(|error| {
            log::warn!("{}", error::report(&error));
            false
        })
    }

    /// Runs the steps and what follows when they have worked; keeps what failed.
    fn finish(&self, interface: Uuid, steps: Vec<Step>, deadline: Deadline) -> Result<bool> {
        let mut failed = undo::run(&self.backend, steps, deadline);
        if failed.is_empty() {
            failed = self.leave_networks(&[interface], deadline)?;
        }
        let state_dir = &self.host.state_dir;
        match failed.is_empty() {
            true => forget(state_dir, interface)?,
            false => store(state_dir, interface, &failed.iter().collect::<Vec<_>>())?,
        }
        Ok(failed.is_empty())
    }
}

fn ids(state_dir: &Path) -> Vec<Uuid> {
    let entries = fs::read_dir(state_dir.join("pending"))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter_map(|entry| id_of(&entry.file_name().to_string_lossy()))
        .collect()
}

/// The interface of an entry's file name; `None` for a temporary file and anything foreign.
fn id_of(name: &str) -> Option<Uuid> {
    name.strip_suffix(".json")?.parse().ok()
}

fn read(path: &Path) -> Option<Pending> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return None,
        Err(e) => {
            log::warn!("cannot read {}: {e}", path.display());
            return None;
        }
    };
    serde_json::from_slice(&text)
        .map_err(|e| log::warn!("{} is damaged and stays unused: {e}", path.display()))
        .ok()
}

fn path(state_dir: &Path, interface: Uuid) -> PathBuf {
    state_dir.join("pending").join(format!("{interface}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_back_and_can_be_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let id = Uuid::from_u128(9);
        let failed = Failed {
            step: Step::Machine(id),
            error: Error::missing("a", "b"),
        };
        store(dir.path(), id, &[&failed]).unwrap();
        assert_eq!(ids(dir.path()), [id]);
        let pending = read(&path(dir.path(), id)).unwrap();
        assert_eq!(pending.steps, [Step::Machine(id)]);
        assert_eq!(pending.error, "a is missing: b");
        forget(dir.path(), id).unwrap();
        assert!(ids(dir.path()).is_empty());
    }

    #[test]
    fn a_damaged_or_foreign_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("pending")).unwrap();
        fs::write(dir.path().join("pending/notes.txt"), "x").unwrap();
        let damaged = path(dir.path(), Uuid::from_u128(1));
        fs::write(&damaged, "{").unwrap();
        assert_eq!(ids(dir.path()), [Uuid::from_u128(1)]);
        assert_eq!(read(&damaged), None);
        assert!(damaged.exists());
    }
}
