//! One operation on a VM interface at a time: a lock that excludes threads and processes of this host.
//!
//! All locks are bytes of one file, so that nothing is left to clean up. The kernel releases a lock
//! when its owner ends, however it ends.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::files;
use crate::values::Deadline;

/// The same name as in release 0.1.0: programs of both releases may run at once during an upgrade.
const FILE: &str = "attachments.lock";

/// The lock on one VM interface: the right to attach, detach or change it, until this value is dropped.
///
/// ```
/// use contrail_core::state::lock::InterfaceLock;
/// use uuid::Uuid;
///
/// # let dir = tempfile::tempdir().unwrap();
/// let id = Uuid::from_u128(1);
/// let lock = InterfaceLock::try_acquire(dir.path(), id)?;
/// assert!(lock.is_some());
/// assert!(InterfaceLock::try_acquire(dir.path(), id)?.is_none(), "it is taken");
/// drop(lock);
/// assert!(InterfaceLock::try_acquire(dir.path(), id)?.is_some());
/// # Ok::<(), contrail_core::Error>(())
/// ```
#[derive(Debug)]
pub struct InterfaceLock {
    /// Owns the lock: it belongs to the open file, not to the process or the thread.
    _file: File,
}

impl InterfaceLock {
    /// The lock, unless another thread or process holds it.
    ///
    /// # Errors
    /// [`Error::File`] when the lock file cannot be used.
    pub fn try_acquire(run_dir: &Path, interface: Uuid) -> Result<Option<Self>> {
        let path = run_dir.join(FILE);
        let file = open(run_dir, &path)?;
        match try_lock(&file, &byte_of(interface)) {
            Ok(true) => Ok(Some(Self { _file: file })),
            Ok(false) => Ok(None),
            Err(error) => Err(Error::file("lock", &path, error)),
        }
    }

    /// Waits until no other thread or process of this host holds the lock on `interface`. `run_dir` is
    /// created if it does not exist.
    ///
    /// # Errors
    /// [`Error::Timeout`] when the deadline comes first; [`Error::File`] when the lock file cannot
    /// be used, for example because it is a symbolic link.
    ///
    /// ```
    /// use std::time::Duration;
    /// use contrail_core::{Deadline, state::lock::InterfaceLock};
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let run_dir = dir.path();
    /// let interface = "5dd372be-4068-49dc-af5d-eb79f93a7bdf".parse()?;
    /// let lock = InterfaceLock::acquire(run_dir, interface, Deadline::after(Duration::from_secs(5)))?;
    /// // … attach …
    /// drop(lock);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn acquire(run_dir: &Path, interface: Uuid, deadline: Deadline) -> Result<Self> {
        let limit = deadline.remaining();
        let path = run_dir.join(FILE);
        let failed = |error| Error::file("lock", &path, error);
        let file = open(run_dir, &path)?;
        let byte = byte_of(interface);
        if try_lock(&file, &byte).map_err(failed)? {
            return Ok(Self { _file: file });
        }
        match wait(file, byte, deadline) {
            Ok(locked) => locked.map(|_file| Self { _file }).map_err(failed),
            Err(_) => Err(Error::Timeout {
                operation: format!("waiting for another operation on interface {interface}"),
                seconds: limit.as_secs_f32(),
            }),
        }
    }
}

fn open(run_dir: &Path, path: &Path) -> Result<File> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(run_dir)
        .map_err(|error| Error::file("create", run_dir, error))?;
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .and_then(|file| files::check_plain(&file.metadata()?).map(|()| file));
    opened.map_err(|error| Error::file("open", path, error))
}

/// Whether the lock was taken.
fn try_lock(file: &File, byte: &libc::flock) -> io::Result<bool> {
    match fcntl(file, FcntlArg::F_OFD_SETLK(byte)) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// The kernel wakes the waiter, but takes no deadline: a thread of its own waits, and releases the lock if it
/// gets it after its caller has left.
fn wait(
    file: File,
    byte: libc::flock,
    deadline: Deadline,
) -> Result<io::Result<File>, RecvTimeoutError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let waiter = move || {
        let locked = loop {
            match fcntl(&file, FcntlArg::F_OFD_SETLKW(&byte)) {
                Ok(_) => break Ok(file),
                Err(Errno::EINTR) => {}
                Err(errno) => break Err(errno.into()),
            }
        };
        // If the caller has left, the message and the file in it are dropped.
        let _ = sender.send(locked);
    };
    match thread::Builder::new().name("lock".into()).spawn(waiter) {
        Ok(_) => receiver.recv_timeout(deadline.remaining()),
        Err(error) => Ok(Err(error)),
    }
}

/// The byte of the file that represents an interface: half of its id. Two interfaces with the same
/// byte would only wait for each other.
fn byte_of(interface: Uuid) -> libc::flock {
    let (high, _) = interface.as_u64_pair();
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        // Offsets are signed, and the end of the range must be one too.
        l_start: (high >> 2) as libc::off_t,
        l_len: 1,
        l_pid: 0,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use super::*;

    fn id(number: u8) -> Uuid {
        Uuid::from_bytes([number; 16])
    }

    fn seconds(seconds: u64) -> Deadline {
        Deadline::after(Duration::from_secs(seconds))
    }

    #[test]
    fn a_second_one_waits_and_the_timeout_names_the_interface() {
        let dir = tempfile::tempdir().unwrap();
        let run_dir = dir.path().join("a/contrail");
        let lock = InterfaceLock::acquire(&run_dir, id(0xff), seconds(9)).unwrap();
        let short = Deadline::after(Duration::from_millis(30));
        let error = InterfaceLock::acquire(&run_dir, id(0xff), short).unwrap_err();
        assert!(error.is_transient());
        assert!(error.to_string().contains(&id(0xff).to_string()), "{error}");
        drop(lock);
        // Also from the waiter that was left behind.
        InterfaceLock::acquire(&run_dir, id(0xff), seconds(9)).unwrap();
    }

    #[test]
    fn other_interfaces_do_not_wait() {
        let dir = tempfile::tempdir().unwrap();
        let past = Deadline::after(Duration::ZERO);
        let locks: Vec<_> = (0..100)
            .map(|number| InterfaceLock::acquire(dir.path(), id(number), past).unwrap())
            .collect();
        assert_eq!(locks.len(), 100);
    }

    #[test]
    fn threads_of_one_program_exclude_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let inside = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let lock = InterfaceLock::acquire(dir.path(), id(1), seconds(60)).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        thread::yield_now();
                        assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                        drop(lock);
                    }
                });
            }
        });
    }

    #[test]
    fn a_waiter_goes_on_when_the_lock_is_free_not_when_its_time_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let lock = InterfaceLock::acquire(dir.path(), id(1), seconds(9)).unwrap();
        let started = Instant::now();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| InterfaceLock::acquire(dir.path(), id(1), seconds(60)));
            drop(lock);
            waiter.join().unwrap().unwrap();
        });
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn only_the_owner_can_touch_the_file_and_a_link_in_its_place_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let run_dir = dir.path().join("contrail");
        InterfaceLock::acquire(&run_dir, id(1), seconds(9)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&run_dir), 0o700);
        assert_eq!(mode(&run_dir.join(FILE)), 0o600);

        let target = dir.path().join("target");
        fs::remove_file(run_dir.join(FILE)).unwrap();
        symlink(&target, run_dir.join(FILE)).unwrap();
        let error = InterfaceLock::acquire(&run_dir, id(1), seconds(9)).unwrap_err();
        assert!(
            matches!(&error, Error::File { source, .. } if source.raw_os_error() == Some(libc::ELOOP)),
            "{error:?}"
        );
        assert!(!target.exists());
    }

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let mode = nix::sys::stat::Mode::S_IRWXU;
        nix::unistd::mkfifo(&dir.path().join(FILE), mode).unwrap();
        let error = InterfaceLock::acquire(dir.path(), id(1), seconds(9)).unwrap_err();
        let text = crate::error::report(&error);
        assert!(text.ends_with("it is not a regular file"), "{text}");
    }
}
