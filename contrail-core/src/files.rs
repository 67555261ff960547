//! Private files, written whole or not at all: the state that plugins keep is readable by root alone
//! and never followed through a link that somebody else placed.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::error::{Error, Result};

/// Creates a directory and its parents, each readable by its owner only. An existing one is kept.
///
/// # Errors
/// [`Error::File`].
pub fn create_private_dir(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|e| Error::file("create", path, e))
}

/// Writes a file of mode 0600 so that readers see the old content or the new, even after a power
/// failure: a temporary file beside it is written, synced and renamed. Creates the directory.
///
/// # Errors
/// [`Error::File`]; the old content is kept then.
pub fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    replace(path, content, fs::File::sync_all)
}

/// The same without waiting for the disk: after a power failure the file may be empty or missing.
/// For what may get lost.
///
/// # Errors
/// [`Error::File`]; the old content is kept then.
pub fn write_private_unsynced(path: &Path, content: &[u8]) -> Result<()> {
    replace(path, content, |_| Ok(()))
}

fn replace(path: &Path, content: &[u8], sync: fn(&fs::File) -> io::Result<()>) -> Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    create_private_dir(dir)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = dir.join(format!(".{name}.{}", uuid::Uuid::new_v4().simple()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| file.write_all(content).and_then(|()| sync(&file)))
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| sync(&fs::File::open(dir)?));
    written.map_err(|e| {
        // The error that counts is the first; the temporary file may not even exist.
        let _ = fs::remove_file(&temporary);
        Error::file("write", path, e)
    })
}

/// Removes a file; `false` when it was not there.
///
/// # Errors
/// [`Error::File`].
pub fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(Error::file("remove", path, e)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_are_private_and_leave_nothing_beside_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            fs::metadata(dir.path().join("a"))
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            0o700
        );
        assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 1);
        assert!(remove(&path).unwrap());
        assert!(!remove(&path).unwrap());
    }

    #[test]
    fn a_link_in_its_place_is_replaced_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        let path = dir.path().join("state");
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        write_private(&path, b"mine").unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }

    #[test]
    fn a_failed_write_says_what_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let error = write_private(&dir.path().join("file/below"), b"x").unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
