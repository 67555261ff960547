//! Which directories state is kept in: those that no other user can change.
//!
//! Whoever can write to the directory can remove and replace what is in it. What a plugin removes, and which
//! names it takes for its host's own, would be another user's choice.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result, report};
use crate::files;

/// The bits of a mode with which other users than the owner may write.
const OTHERS_WRITE: u32 = 0o022;

/// Whether a directory may be a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    /// An administrator has chosen the directory.
    Followed,
    /// A plugin creates the directory: a link is not from it.
    Refused,
}

/// Creates a state directory, readable by its owner only, or checks an existing one. It may be a symbolic
/// link.
///
/// # Errors
/// [`Error::File`] with what to do if other users can change the directory: it belongs to a user who is
/// neither this one nor root, or its mode lets others write.
///
/// ```
/// use std::os::unix::fs::PermissionsExt;
///
/// # let dir = tempfile::tempdir()?;
/// let state = dir.path().join("state");
/// contrail_core::state::prepare(&state)?;
/// std::fs::set_permissions(&state, PermissionsExt::from_mode(0o777))?;
/// assert!(contrail_core::state::prepare(&state).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn prepare(state_dir: &Path) -> Result<()> {
    create(state_dir, Links::Followed)
}

/// Creates a directory or checks an existing one.
pub(super) fn create(dir: &Path, links: Links) -> Result<()> {
    if !check(dir, links)? {
        files::create_private_dir(dir)?;
        check(dir, links)?;
    }
    Ok(())
}

/// Checks a directory; `false` if it does not exist.
pub(super) fn check(dir: &Path, links: Links) -> Result<bool> {
    let found = match links {
        Links::Followed => fs::metadata(dir),
        Links::Refused => fs::symlink_metadata(dir),
    };
    match found {
        Ok(found) => refusal(dir, &found).map_or(Ok(true), |reason| {
            let source = io::Error::new(ErrorKind::PermissionDenied, reason);
            Err(Error::file("use", dir, source))
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::file("use", dir, error)),
    }
}

/// The same for a reader that goes on without what is in the directory: a refused one counts as absent, with
/// one warning per process.
pub(super) fn check_or_ignore(dir: &Path, links: Links) -> Result<bool> {
    static TOLD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    match check(dir, links) {
        Err(error) if is_refusal(&error) => {
            let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
            if told.insert(dir.to_owned()) {
                log::warn!("continuing without what is recorded: {}", report(&error));
            }
            Ok(false)
        }
        checked => checked,
    }
}

/// Whether this module refused the directory, rather than the system.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::File { source, .. } if source.raw_os_error().is_none())
}

/// Why a directory is not used, and what to do.
fn refusal(dir: &Path, found: &Metadata) -> Option<String> {
    let shown = dir.display();
    if found.is_symlink() {
        return Some("it is a symbolic link, which no plugin has made: remove it".into());
    }
    if !found.is_dir() {
        return Some("it is not a directory: remove it".into());
    }
    let own = nix::unistd::geteuid().as_raw();
    if let Err(error) = check_uid(found.uid(), own) {
        return Some(format!(
            "{error}, who could change what is recorded: check what is in it, then run `chown {own} {shown}`"
        ));
    }
    (found.mode() & OTHERS_WRITE != 0).then(|| {
        format!(
            "its mode {:04o} lets other users change what is recorded: check what is in it, then run \
             `chmod go-w {shown}`",
            found.mode() & 0o7777
        )
    })
}

/// Refuses what belongs to a user who is neither this one nor root.
pub(super) fn check_uid(owner: u32, own: u32) -> io::Result<()> {
    if owner == own || owner == 0 {
        return Ok(());
    }
    let reason = format!("it belongs to user {owner}, not to user {own}");
    Err(io::Error::new(ErrorKind::InvalidInput, reason))
}

#[cfg(test)]
#[path = "directory_test.rs"]
mod tests;
