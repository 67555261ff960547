//! The directory of run files. Every look at a run file and every change of one happens under the
//! lock of the directory, so that no process sees one that is half made or half removed.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use contrail_core::Error as CoreError;
use nix::libc::{O_DIRECTORY, O_NOFOLLOW};
use nix::unistd::{Uid, geteuid};

use super::error::{Error, Result};

/// The directory, locked as long as the value lives. Nothing waits for anything else meanwhile.
pub struct RunDir {
    path: PathBuf,
    _lock: File,
}

/// Where the directory is.
struct Place {
    path: PathBuf,
    /// Whether anybody can make a directory of that name.
    is_public: bool,
    /// Whether the user named it: then it may have been there before, for something else.
    is_chosen: bool,
}

/// `CONTRAIL_LAB_RUN_DIR`, or a directory that the user may write to.
fn place() -> Place {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let private = |path| Place {
        path,
        is_public: false,
        is_chosen: false,
    };
    if let Some(directory) = variable("CONTRAIL_LAB_RUN_DIR") {
        return Place {
            is_chosen: true,
            ..private(directory.into())
        };
    }
    if geteuid().is_root() {
        return private("/run/contrail-lab".into());
    }
    match variable("XDG_RUNTIME_DIR") {
        Some(directory) => private(Path::new(&directory).join("contrail-lab")),
        None => Place {
            path: std::env::temp_dir().join(format!("contrail-lab-{}", geteuid())),
            is_public: true,
            is_chosen: false,
        },
    }
}

/// Where the directory is or would be.
pub fn path() -> PathBuf {
    place().path
}

/// The directories that must be made for `directory` to exist, innermost first.
pub fn missing(directory: &Path) -> impl Iterator<Item = &Path> {
    let ancestors = directory.ancestors();
    ancestors.take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists())
}

impl RunDir {
    /// Locks the directory; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::UnsafeDirectory`], or when it cannot be opened.
    pub fn lock() -> Result<Option<Self>> {
        let Place {
            path, is_public, ..
        } = place();
        loop {
            let lock = match open(&path, is_public) {
                Ok(lock) => lock,
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(e) if is_public && !is_plain_directory(&path) => {
                    log::debug!("cannot open {}: {e}", path.display());
                    return Err(unsafe_directory(&path, "is not a directory"));
                }
                Err(e) => return Err(CoreError::file("open", &path, e).into()),
            };
            lock.lock().map_err(|e| CoreError::file("lock", &path, e))?;
            if is_public {
                check_owner(&path, &lock, geteuid())?;
            }
            // The one before may have removed it while it was waited for.
            if is_same_file(&lock, &path) {
                return Ok(Some(Self { path, _lock: lock }));
            }
        }
    }

    /// Locks the directory, which is made when it is missing; also returns the directories that go
    /// when they are empty, innermost first: those that were made for it, and itself unless the user
    /// chose it. Several processes may make it at once, and then none knows who did.
    ///
    /// # Errors
    /// As [`RunDir::lock`], and when it cannot be made.
    pub fn make() -> Result<(Self, Vec<PathBuf>)> {
        loop {
            let Place {
                path, is_chosen, ..
            } = place();
            let mut made: Vec<PathBuf> = missing(&path).map(Path::to_path_buf).collect();
            if made.is_empty() && !is_chosen {
                made.push(path.clone());
            }
            DirBuilder::new()
                .recursive(true)
                .mode(if geteuid().is_root() { 0o755 } else { 0o700 })
                .create(&path)
                .or_else(|e| match e.kind() {
                    // What is there instead is looked at below.
                    io::ErrorKind::AlreadyExists => Ok(()),
                    _ => Err(e),
                })
                .map_err(|e| CoreError::file("make", &path, e))?;
            // `None` when a lab that ended has removed it again.
            if let Some(locked) = Self::lock()? {
                return Ok((locked, made));
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run file of a lab.
    pub fn run_file(&self, lab: &str) -> PathBuf {
        self.path.join(format!("{lab}.json"))
    }

    /// The paths of all run files.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn run_files(&self) -> Result<Vec<PathBuf>> {
        let failed = |e| CoreError::file("read", &self.path, e);
        let entries = fs::read_dir(&self.path).map_err(failed)?;
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        let mut paths = paths.collect::<io::Result<Vec<_>>>().map_err(failed)?;
        paths.retain(|path| path.extension().is_some_and(|kind| kind == "json"));
        Ok(paths)
    }
}

fn open(path: &Path, is_public: bool) -> io::Result<File> {
    let no_link = if is_public { O_NOFOLLOW } else { 0 };
    OpenOptions::new()
        .read(true)
        .custom_flags(O_DIRECTORY | no_link)
        .open(path)
}

fn is_plain_directory(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Anybody can have made a directory in a public place, to have files of their choice overwritten.
fn check_owner(path: &Path, directory: &File, user: Uid) -> Result<()> {
    let metadata = directory.metadata();
    let metadata = metadata.map_err(|e| CoreError::file("look at", path, e))?;
    if metadata.uid() != user.as_raw() {
        return Err(unsafe_directory(path, "belongs to another user"));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(unsafe_directory(path, "can be written to by other users"));
    }
    Ok(())
}

fn unsafe_directory(path: &Path, reason: &'static str) -> Error {
    Error::UnsafeDirectory {
        path: path.to_path_buf(),
        reason,
    }
}

/// Whether `path` still names this file.
pub fn is_same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => open.ino() == named.ino() && open.dev() == named.dev(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_directory_in_a_public_place_must_be_the_users_alone() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("lab");
        fs::create_dir(&path).unwrap();
        let reason = |user: Uid| {
            let checked = check_owner(&path, &open(&path, true).unwrap(), user);
            checked.err().map(|e| e.to_string())
        };
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        mode(0o700);
        assert_eq!(reason(geteuid()), None);
        let other = Uid::from_raw(geteuid().as_raw() + 1);
        let foreign = reason(other).unwrap();
        assert!(foreign.contains("belongs to another user"), "{foreign}");
        assert!(foreign.contains("set CONTRAIL_LAB_RUN_DIR"), "{foreign}");
        mode(0o770);
        assert!(reason(geteuid()).unwrap().contains("written to by other"));
    }

    #[test]
    fn a_link_in_a_public_place_is_not_followed() {
        let outer = tempfile::tempdir().unwrap();
        let link = outer.path().join("link");
        symlink(outer.path(), &link).unwrap();
        assert!(open(&link, true).is_err());
        assert!(!is_plain_directory(&link));
        assert!(open(&link, false).is_ok());
    }
}
