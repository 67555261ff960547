//! Moving damaged entries aside: they are kept for inspection, out of the way.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::directory::{self, Links};
use crate::error::report;
use crate::files;

/// The directory, next to the entries, for what is moved aside.
const DIRECTORY: &str = "damaged";

/// How many files that directory may hold; the oldest one makes room for a new one.
const MAX_KEPT: usize = 16;

/// Moves a file away, with one warning.
pub(super) fn set_aside(path: &Path, reason: &str) {
    match move_away(path) {
        Ok(to) => log::warn!(
            "ignored {} and moved it to {}: {reason}",
            path.display(),
            to.display()
        ),
        Err(error) => log::warn!(
            "ignored {}: {reason}; cannot move it aside: {error}",
            path.display()
        ),
    }
}

/// Moves a file away if it still has this content: another process may have replaced it.
pub(super) fn set_aside_if(path: &Path, content: &[u8], reason: &str) {
    let now = files::read_private(path);
    if now.is_ok_and(|now| now == content) {
        set_aside(path, reason);
    }
}

fn move_away(path: &Path) -> io::Result<PathBuf> {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let dir = dir.join(DIRECTORY);
    directory::create(&dir, Links::Refused).map_err(|error| io::Error::other(report(&error)))?;
    make_room(&dir)?;
    let name = name.to_string_lossy();
    let free = (1..).map(|number: usize| dir.join(format!("{name}.{number}")));
    let mut free = free.filter(|to| fs::symlink_metadata(to).is_err());
    let to = free.next().ok_or(io::ErrorKind::AlreadyExists)?;
    fs::rename(path, &to)?;
    Ok(to)
}

/// Removes the oldest files until there is room for one more. Times of writing count: moving a file keeps
/// its own.
fn make_room(dir: &Path) -> io::Result<()> {
    let mut kept = Vec::new();
    for file in fs::read_dir(dir)? {
        let file = file?;
        kept.push((file.metadata()?.modified()?, file.path()));
    }
    kept.sort();
    let excess = (kept.len() + 1).saturating_sub(MAX_KEPT);
    for (_, path) in kept.into_iter().take(excess) {
        log::warn!("removing {}, moved aside earlier", path.display());
        // A directory is not searched for what to remove.
        fs::remove_file(&path)
            .or_else(|_| fs::remove_dir(&path))
            .ok();
    }
    Ok(())
}
