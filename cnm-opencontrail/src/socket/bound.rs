//! A socket that is published under its name when it is ready, and removed only by its owner.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// For root, as which Docker's daemon runs, and for root's group.
const MODE: u32 = 0o660;

/// A listening socket that is not published yet.
#[derive(Debug)]
pub struct Bound {
    listener: UnixListener,
    hidden: PathBuf,
    path: PathBuf,
    /// A lock on the directory, held from the check of the old socket until the new one is published, so
    /// that of two plugins that start together one sees the other. The kernel drops it with the process.
    _directory: File,
}

impl Bound {
    /// Listens next to `path`, under a name that Docker does not look for.
    ///
    /// # Errors
    /// [`Error::SocketInUse`] if a process listens on `path`; [`Error::NotASocket`] if `path` is another
    /// kind of file; [`Error::Core`] if the directory cannot be used.
    pub fn beside(path: &Path) -> Result<Self> {
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent)
            .map_err(|source| Error::file("make directory", parent, source))?;
        let directory = File::open(parent)
            .and_then(|directory| directory.lock().map(|()| directory))
            .map_err(|source| Error::file("lock directory", parent, source))?;
        check_free(path)?;
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(".new");
        let hidden = parent.join(name);
        // This process has the lock, so a file of this name was left by a start that failed.
        remove(&hidden)?;
        let listener = UnixListener::bind(&hidden)
            .map_err(|source| Error::file("listen on", &hidden, source))?;
        std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(MODE))
            .map_err(|source| Error::file("set the mode of", &hidden, source))?;
        Ok(Self {
            listener,
            hidden,
            path: path.to_path_buf(),
            _directory: directory,
        })
    }

    /// Publishes the socket: from now on Docker finds it.
    ///
    /// # Errors
    /// [`Error::Core`] if the rename fails.
    pub fn publish(self) -> Result<(UnixListener, Published)> {
        let file = |source| Error::file("publish", &self.path, source);
        let identity = identity(&self.hidden).map_err(file)?;
        std::fs::rename(&self.hidden, &self.path).map_err(file)?;
        let published = Published {
            path: self.path,
            identity,
        };
        Ok((self.listener, published))
    }
}

/// A published socket. Dropping it removes the socket, unless another one has replaced it.
#[derive(Debug)]
pub struct Published {
    path: PathBuf,
    identity: (u64, u64),
}

impl Published {
    /// The socket's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.identity)
            && let Err(error) = remove(&self.path)
        {
            log::warn!("{}", contrail_core::error::report(&error));
        }
    }
}

/// Refuses a path that is in use. A socket without a listener was left by a killed plugin.
fn check_free(path: &Path) -> Result<()> {
    let found = match path.symlink_metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::file("look at", path, source)),
    };
    if !found.file_type().is_socket() {
        return Err(Error::NotASocket {
            path: path.to_path_buf(),
        });
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(Error::SocketInUse {
            path: path.to_path_buf(),
        }),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        // A full queue: a process listens, however slowly.
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(Error::SocketInUse {
            path: path.to_path_buf(),
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Error::file("connect to", path, source)),
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = path.symlink_metadata()?;
    Ok((found.dev(), found.ino()))
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::file("remove", path, error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_published_with_its_mode_and_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("plugins/opencontrail.sock");
        let bound = Bound::beside(&path).unwrap();
        assert!(!path.exists());
        let (_listener, published) = bound.publish().unwrap();
        UnixStream::connect(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(published.path(), path);
        drop(published);
        assert_eq!(path.parent().unwrap().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("opencontrail.sock");
        drop(UnixListener::bind(&path).unwrap());
        let (listener, published) = Bound::beside(&path).unwrap().publish().unwrap();
        assert!(matches!(
            Bound::beside(&path),
            Err(Error::SocketInUse { .. })
        ));
        drop(listener);
        let (_second, other) = Bound::beside(&path).unwrap().publish().unwrap();
        // The first must not remove the socket of the second.
        drop(published);
        assert!(path.exists());
        drop(other);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_of_that_name_is_not_touched() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("opencontrail.sock");
        std::fs::write(&path, "mine").unwrap();
        assert!(matches!(
            Bound::beside(&path),
            Err(Error::NotASocket { .. })
        ));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn of_many_that_start_together_one_wins() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("opencontrail.sock");
        let won: Vec<_> = std::thread::scope(|scope| {
            let start = || Bound::beside(&path).and_then(Bound::publish);
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(start)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .filter_map(Result::ok)
                .collect()
        });
        assert_eq!(won.len(), 1);
        UnixStream::connect(&path).unwrap();
    }
}
