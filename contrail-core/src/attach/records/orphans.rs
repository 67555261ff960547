//! Notes of orphans: when an interface without a link was first seen, so that a later look removes only
//! those that have been orphans all the while.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{self, Error, Result};
use crate::files;
use crate::values::FqName;

/// What is noted of an orphan, in a file with its id as name.
#[derive(Serialize, Deserialize)]
struct Note {
    project: FqName,
    since: SystemTime,
}

/// Notes an orphan, unless it has a note; since when it has one.
pub(crate) fn note(state_dir: &Path, interface: Uuid, project: &FqName) -> Result<SystemTime> {
    let path = path(state_dir, interface);
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

/// Drops the notes of a project's interfaces that are not, or no longer, orphans.
pub(crate) fn keep_only(state_dir: &Path, project: &FqName, orphans: &[Uuid]) -> Result<()> {
    for entry in fs::read_dir(notes(state_dir))
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_suffix(".json"));
        let Some(id) = id.and_then(|id| id.parse::<Uuid>().ok()) else {
            continue;
        };
        let is_orphan = orphans.contains(&id);
        let path = entry.path();
        if !is_orphan && read(&path)?.is_none_or(|note| note.project == *project) {
            files::remove(&path)?;
        }
    }
    Ok(())
}

/// Drops the note of an interface: it is no orphan any more.
pub(crate) fn forget(state_dir: &Path, interface: Uuid) -> Result<()> {
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
