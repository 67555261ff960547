//! A network namespace that was opened and checked, and running code inside it.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::panic;
use std::path::{Path, PathBuf};
use std::thread;

use nix::libc;
use nix::sched::{CloneFlags, setns};
use nix::sys::statfs::{NSFS_MAGIC, fstatfs};

use super::error::{Error, Result};

/// The namespace of the calling thread. `/proc/self` would be the one of the process's first thread.
const OWN: &str = "/proc/thread-self/ns/net";

/// What identifies a network namespace, even after its path was given to another one: the inode of
/// the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NetnsId {
    /// The device of the namespace file system.
    pub device: u64,
    /// The number of the namespace; `ip netns identify` and `lsns` show it.
    pub inode: u64,
}

/// A network namespace. It lives at least as long as this value, even if its path is unmounted.
#[derive(Debug)]
pub struct Netns {
    file: File,
    path: PathBuf,
    id: NetnsId,
}

impl Netns {
    /// Opens the namespace at `path`: `/run/netns/<name>`, `/proc/<pid>/ns/net` or wherever else
    /// one is mounted.
    ///
    /// # Errors
    /// [`Error::Netns`] when nothing is there, when it is not a network namespace (also the empty
    /// file that stays behind when one was unmounted), and when it is the caller's own: changing
    /// that one would change the host.
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use contrail_core::kernel::{Error, Netns};
    ///
    /// let error = Netns::open(Path::new("/run/netns/no-such-namespace")).unwrap_err();
    /// assert!(matches!(error, Error::Netns { .. }));
    /// ```
    pub fn open(path: &Path) -> Result<Self> {
        let netns = Self::open_any(path)?;
        if netns.id == Self::current()?.id {
            return Err(refused(
                path,
                "it is the network namespace that this program runs in, not a container's",
            ));
        }
        Ok(netns)
    }

    /// The namespace of the calling thread.
    pub fn current() -> Result<Self> {
        Self::open_any(Path::new(OWN))
    }

    fn open_any(path: &Path) -> Result<Self> {
        let unusable = |error: io::Error| match error.raw_os_error() {
            Some(libc::ENOENT | libc::ESRCH) => refused(path, "it does not exist"),
            // It says nothing about the namespace.
            Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM) => {
                Error::kernel(format!("open network namespace {}", path.display()), error)
            }
            _ => refused(path, error.to_string()),
        };
        // Before opening: opening a pipe would wait for its other end, and opening a device may trigger it.
        if !fs::metadata(path).map_err(unusable)?.is_file() {
            return Err(refused(path, "it is not a regular file"));
        }
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)
            .map_err(unusable)?;
        let kind = fstatfs(&file).map_err(|errno| unusable(errno.into()))?;
        if kind.filesystem_type() != NSFS_MAGIC {
            return Err(refused(
                path,
                "it is a regular file: no namespace is mounted there",
            ));
        }
        if namespace_type(&file).is_some_and(|kind| kind != libc::CLONE_NEWNET) {
            return Err(refused(path, "it is a namespace of another type"));
        }
        let metadata = file.metadata().map_err(unusable)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            id: NetnsId {
                device: metadata.dev(),
                inode: metadata.ino(),
            },
        })
    }

    /// What distinguishes it from all other namespaces.
    pub fn id(&self) -> NetnsId {
        self.id
    }

    /// The path by which it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` inside the namespace and waits for it. It has a thread of its own, which ends
    /// afterwards: no other code of this program can run in the wrong namespace. Programs
    /// that `work` starts run in the namespace too.
    ///
    /// # Errors
    /// [`Error::Kernel`] when the namespace cannot be entered. A panic of `work` is resumed here.
    ///
    /// ```no_run
    /// use std::path::Path;
    /// use std::process::Command;
    ///
    /// use contrail_core::kernel::Netns;
    ///
    /// let netns = Netns::open(Path::new("/run/netns/c1"))?;
    /// let output = netns.run(|| Command::new("ip").args(["address", "show"]).output())?;
    /// # Ok::<(), contrail_core::kernel::Error>(())
    /// ```
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        thread::scope(|scope| {
            let inside = thread::Builder::new()
                .name("netns".into())
                .spawn_scoped(scope, || {
                    setns(&self.file, CloneFlags::CLONE_NEWNET)
                        .map(|()| work())
                        .map_err(io::Error::from)
                })
                .map_err(|error| Error::kernel("start a thread", error))?;
            inside
                .join()
                .unwrap_or_else(|panic| panic::resume_unwind(panic))
                .map_err(|error| Error::kernel(format!("enter {self}"), error))
        })
    }
}

impl AsFd for Netns {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl fmt::Display for Netns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "network namespace {}", self.path.display())
    }
}

fn refused(path: &Path, reason: impl Into<String>) -> Error {
    Error::Netns {
        path: path.to_owned(),
        reason: reason.into(),
    }
}

/// The `CLONE_NEW…` flag of a namespace file; `None` on a kernel that does not report it (before 4.11).
fn namespace_type(file: &File) -> Option<libc::c_int> {
    /// `NS_GET_NSTYPE` of ioctl_nsfs(2).
    const NS_GET_NSTYPE: libc::Ioctl = nix::request_code_none!(0xb7, 0x3) as libc::Ioctl;
    // SAFETY: this request takes no argument and touches no memory of this process; the file
    // outlives the call.
    #[allow(unsafe_code)]
    let kind = unsafe { libc::ioctl(file.as_raw_fd(), NS_GET_NSTYPE) };
    (kind >= 0).then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(path: &Path) -> String {
        match Netns::open(path) {
            Err(Error::Netns { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_path_without_a_network_namespace_is_refused_with_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        let plain = dir.path().join("left-after-unmount");
        fs::write(&plain, "").unwrap();
        let pipe = dir.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).unwrap();
        for (path, part) in [
            (dir.path().join("absent").as_path(), "does not exist"),
            (Path::new("/proc/4194305/ns/net"), "does not exist"),
            (dir.path(), "not a regular file"),
            (Path::new("/dev/null"), "not a regular file"),
            (&pipe, "not a regular file"),
            (&plain, "no namespace is mounted there"),
            (&plain.join("below"), "Not a directory"),
            (Path::new("/proc/self/ns/mnt"), "of another type"),
        ] {
            let reason = reason(path);
            assert!(reason.contains(part), "{}: {reason}", path.display());
        }
    }

    #[test]
    fn the_callers_own_namespace_is_refused_by_every_path() {
        for path in [OWN, "/proc/self/ns/net"] {
            assert!(reason(Path::new(path)).contains("runs in"), "{path}");
        }
        assert_eq!(
            Netns::current().unwrap().id(),
            Netns::current().unwrap().id()
        );
    }
}
