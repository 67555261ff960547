//! Private files, written whole or not at all: the state that plugins keep is readable by its owner only,
//! and symbolic links to it are not followed.
//!
//! Only regular files of limited size are read: a read of a pipe would block, and opening a device may
//! trigger it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use ring::rand;
use uuid::{Builder, Uuid};

use crate::error::{Error, Result};

/// The largest file of settings or a secret that is read, in bytes.
const MAX_TEXT: u64 = 64 << 10;

/// The largest file of state that is read, in bytes.
const MAX_STATE: u64 = 1 << 20;

/// Reads a file of settings, a password or a token: text of at most 64 KiB. Symbolic links are
/// followed; secrets are often mounted as such.
///
/// # Errors
/// The system's error; [`ErrorKind::InvalidInput`] with the reason if the file is not a regular one, is too
/// large or is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read_at_most(path, MAX_TEXT)?).map_err(|_| odd("it is not UTF-8 text"))
}

/// Reads a file of at most `limit` bytes. Symbolic links are followed.
///
/// # Errors
/// The system's error; [`ErrorKind::InvalidInput`] with the reason if the file is not a regular one or is too
/// large.
pub fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read(path, fs::metadata(path)?, 0, limit, |_| Ok(()))
}

/// Reads a file of the state that plugins keep, of at most 1 MiB. A symbolic link is refused.
///
/// # Errors
/// The system's error; [`ErrorKind::InvalidInput`] with the reason if the file is not a regular one or is too
/// large.
pub fn read_private(path: &Path) -> io::Result<Vec<u8>> {
    read_private_if(path, |_| Ok(()))
}

/// Reads a file like [`read_private`] if the opened file passes a check.
///
/// # Errors
/// As [`read_private`], and those of the check.
pub fn read_private_if(
    path: &Path,
    check: impl Fn(&fs::Metadata) -> io::Result<()>,
) -> io::Result<Vec<u8>> {
    let found = fs::symlink_metadata(path)?;
    read(path, found, libc::O_NOFOLLOW, MAX_STATE, check)
}

fn read(
    path: &Path,
    found: fs::Metadata,
    flags: i32,
    limit: u64,
    check: impl Fn(&fs::Metadata) -> io::Result<()>,
) -> io::Result<Vec<u8>> {
    // Before opening, which may trigger a device.
    check_plain(&found)?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | flags)
        .open(path)?;
    let opened = file.metadata()?;
    check_plain(&opened)?;
    check(&opened)?;
    let mut content = Vec::new();
    file.take(limit + 1).read_to_end(&mut content)?;
    match content.len() as u64 > limit {
        true => Err(odd(&format!("it is larger than {} KiB", limit >> 10))),
        false => Ok(content),
    }
}

/// Opens a log file to append to it, so that parallel processes do not overwrite each other, and
/// creates it with mode 0640. A symbolic link is refused: the plugins run as root, and the directory may
/// belong to another user. `/dev/null` and `/dev/stderr` mean no file: messages go to standard error
/// anyway.
///
/// # Errors
/// The system's error; [`ErrorKind::InvalidInput`] with the reason if the file is not a regular one.
pub fn open_log(path: &Path) -> io::Result<Option<File>> {
    if [Path::new("/dev/null"), Path::new("/dev/stderr")].contains(&path) {
        return Ok(None);
    }
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        found => check_plain(&found?)?,
    }
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    check_plain(&file.metadata()?)?;
    Ok(Some(file))
}

/// Checks that a file is a regular one.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] with the reason if it is not.
pub fn check_plain(metadata: &fs::Metadata) -> io::Result<()> {
    match metadata.is_file() {
        true => Ok(()),
        false if metadata.is_symlink() => Err(odd("it is a symbolic link")),
        false => Err(odd("it is not a regular file")),
    }
}

/// Whether every user of this host may read a file.
///
/// # Errors
/// The system's error.
pub fn is_readable_by_others(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.mode() & 0o004 != 0)
}

fn odd(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, reason)
}

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
/// failure: a temporary file next to it is written, synced and renamed. Creates the directory.
///
/// # Errors
/// [`Error::File`]; the old content is kept.
pub fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    replace(path, content, fs::File::sync_all)
}

/// Replaces a file like [`write_private`] without waiting for the disk: after a power failure the file may be
/// empty or missing. For content that may get lost.
///
/// # Errors
/// [`Error::File`]; the old content is kept.
pub fn write_private_unsynced(path: &Path, content: &[u8]) -> Result<()> {
    replace(path, content, |_| Ok(()))
}

/// Creates an empty file of mode 0600, or updates the time of an existing one. Creates the directory.
///
/// An empty file is never half written, so no temporary file is needed, which a killed process would leave.
///
/// # Errors
/// [`Error::File`], also if the path is not a regular file.
pub fn touch_private(path: &Path) -> Result<()> {
    create_private_dir(path.parent().unwrap_or(Path::new(".")))?;
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    let touched = file.and_then(|file| {
        check_plain(&file.metadata()?)?;
        file.set_modified(SystemTime::now())
    });
    touched.map_err(|source| Error::file("write", path, source))
}

fn random_id() -> io::Result<Uuid> {
    let bytes = rand::generate(&rand::SystemRandom::new())
        .map_err(|_| io::Error::other("the system has no random numbers"))?;
    Ok(Builder::from_random_bytes(bytes.expose()).into_uuid())
}

fn replace(path: &Path, content: &[u8], sync: fn(&fs::File) -> io::Result<()>) -> Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    create_private_dir(dir)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let id = random_id().map_err(|source| Error::file("write", path, source))?;
    let temporary = dir.join(format!(".{name}.{}", id.simple()));
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

/// How long a temporary file may be in use.
const IN_USE: Duration = Duration::from_secs(60);

/// Removes the temporary files that killed writers have left in a directory of private files and in those below
/// it. A file that cannot be removed is left in place.
pub fn sweep(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let name = entry.file_name();
        if is_dir {
            sweep(&entry.path());
        } else if is_temporary(&name.to_string_lossy()) && is_old(&entry) {
            log::debug!(
                "removing {}, left by a killed process",
                entry.path().display()
            );
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file has a name as [`replace`] gives: `.name.` and an id.
fn is_temporary(name: &str) -> bool {
    let id = name
        .strip_prefix('.')
        .and_then(|name| name.rsplit_once('.'));
    id.is_some_and(|(_, id)| id.len() == 32 && uuid::Uuid::try_parse(id).is_ok())
}

fn is_old(entry: &fs::DirEntry) -> bool {
    let written = entry.metadata().and_then(|metadata| metadata.modified());
    let age = written.ok().and_then(|written| written.elapsed().ok());
    age.is_some_and(|age| age > IN_USE)
}

/// Removes a file; `false` if it did not exist.
///
/// # Errors
/// [`Error::File`].
pub fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        // A file system that is read-only says so before it looks for the file.
        Err(_) if is_absent(path) => Ok(false),
        Err(e) => Err(Error::file("remove", path, e)),
    }
}

fn is_absent(path: &Path) -> bool {
    matches!(fs::symlink_metadata(path), Err(e) if e.kind() == ErrorKind::NotFound)
}

#[cfg(test)]
#[path = "files_test.rs"]
mod tests;
