//! Orphans that were seen: when an interface without a link was first seen, so that a later look removes only
//! those that have been orphans since.

use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Result;
use crate::state::{Durability, Entries, Entry};
use crate::values::FqName;

/// What is recorded of an orphan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// The project that it was found in.
    pub(crate) project: FqName,
    /// When it was first seen.
    pub(crate) since: SystemTime,
}

impl Entry for Seen {
    const KIND: &str = "orphan";
    const VERSION: u32 = 1;
}

/// Records an orphan, unless it is recorded; since when it is. After damage the time starts again.
pub(crate) fn note(state_dir: &Path, interface: Uuid, project: &FqName) -> Result<SystemTime> {
    let entries = entries(state_dir);
    if let Some(seen) = entries.get(&interface)? {
        return Ok(seen.since);
    }
    let since = SystemTime::now();
    let project = project.clone();
    entries.put(&interface, &Seen { project, since })?;
    Ok(since)
}

/// Forgets a project's interfaces that are not, or no longer, orphans.
pub(crate) fn keep_only(state_dir: &Path, project: &FqName, orphans: &[Uuid]) -> Result<()> {
    let entries = entries(state_dir);
    for id in entries.keys()? {
        let is_orphan = orphans.contains(&id);
        if !is_orphan
            && entries
                .find(&id)?
                .entry()
                .is_some_and(|seen| seen.project == *project)
        {
            entries.remove(&id)?;
        }
    }
    Ok(())
}

/// Forgets an interface: it is no longer an orphan.
pub(crate) fn forget(state_dir: &Path, interface: Uuid) -> Result<()> {
    entries(state_dir).remove(&interface).map(drop)
}

/// The entries, each with the id of a VM interface as key.
pub(crate) fn entries(state_dir: &Path) -> Entries<Uuid, Seen> {
    Entries::new(state_dir.join("orphans"), Durability::Synced).best_effort()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orphan_keeps_its_time_until_it_is_resolved_in_its_project() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let [a, b] = [1, 2].map(Uuid::from_u128);
        let [own, other] = ["p", "q"].map(|project| FqName::new(["d", project]));
        let since = note(dir, a, &own).unwrap();
        assert_eq!(note(dir, a, &own).unwrap(), since);
        note(dir, b, &other).unwrap();
        keep_only(dir, &own, &[a]).unwrap();
        assert_eq!(entries(dir).keys().unwrap().len(), 2);
        keep_only(dir, &own, &[]).unwrap();
        assert_eq!(entries(dir).keys().unwrap(), [b]);
        forget(dir, b).unwrap();
        assert!(entries(dir).keys().unwrap().is_empty());
    }
}
