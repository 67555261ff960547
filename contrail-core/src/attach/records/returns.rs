//! Interfaces that are created again under the id with which they left a service: the controller must have
//! forgotten the old one first.
//!
//! A real schema transformer that sees an id deleted and created again at once may never rebuild the service's
//! chains: 3 of 15 tries without a pause failed, none of 9 after two seconds. So the id of a member
//! is locked for that long after its deletion, by the age of `left/<interface>.lock` in the run directory.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use crate::error::{Error, Result, report};
use crate::files;
use crate::state::Index;
use crate::values::Deadline;

/// How long the controller is given to forget an interface.
const SETTLED: Duration = Duration::from_secs(2);

/// Locks the id of an interface that was a member of a service and is deleted.
pub(crate) fn lock(run_dir: &Path, interface: Uuid) -> Result<()> {
    locks(run_dir).insert(&interface)
}

/// Waits until the controller has forgotten the interface. Returns whether the interface left a service
/// recently.
///
/// # Errors
/// [`Error::Timeout`] when the deadline comes first.
pub(crate) fn wait(run_dir: &Path, interface: Uuid, deadline: Deadline) -> Result<bool> {
    let locks = locks(run_dir);
    let Some(left) = locks.written(&interface)? else {
        return Ok(false);
    };
    // A clock that was set back must not make it wait for longer.
    let pause = SETTLED.saturating_sub(left.elapsed().unwrap_or_default());
    let limit = deadline.remaining();
    if pause > limit {
        return Err(Error::Timeout {
            operation: format!(
                "waiting until the controller has forgotten VM interface {interface}, which has just left its service"
            ),
            seconds: limit.as_secs_f32(),
        });
    }
    if !pause.is_zero() {
        log::info!(
            "VM interface {interface} has just left its service: attaching it again in {pause:?}"
        );
        thread::sleep(pause);
    }
    locks.remove(&interface).map(|_| true)
}

/// Removes the locks that are no longer needed. Little work if no member has left lately.
pub(crate) fn sweep(run_dir: &Path) {
    let locks = locks(run_dir);
    // After the clock was set back, a lock from before would remain forever.
    let is_young = |left: SystemTime| left.elapsed().is_ok_and(|age| age <= SETTLED);
    let removed = locks.by_age().and_then(|found| {
        let mut old = found.into_iter().filter(|(left, _)| !is_young(*left));
        old.try_for_each(|(_, interface)| locks.remove(&interface).map(drop))
    });
    if let Err(error) = removed {
        log::warn!("{}", report(&error));
    }
    files::sweep(&directory(run_dir));
}

/// The locks, each with the id of a VM interface as key: the time of writing counts.
fn locks(run_dir: &Path) -> Index<Uuid> {
    Index::new(directory(run_dir)).ending(".lock")
}

fn directory(run_dir: &Path) -> PathBuf {
    run_dir.join("left")
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Instant;

    use super::*;

    const ID: Uuid = Uuid::from_u128(1);

    fn path(dir: &Path) -> PathBuf {
        directory(dir).join(format!("{ID}.lock"))
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_millis(100))
    }

    fn set_age(dir: &Path, age: Duration) {
        let file = File::options().write(true).open(path(dir)).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    #[test]
    fn who_has_not_left_waits_for_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!wait(dir.path(), ID, soon()).unwrap());
    }

    #[test]
    fn who_has_just_left_waits_once_until_the_controller_has_settled() {
        let dir = tempfile::tempdir().unwrap();
        lock(dir.path(), ID).unwrap();
        let error = wait(dir.path(), ID, soon()).unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error}");
        set_age(dir.path(), SETTLED - Duration::from_millis(80));
        let start = Instant::now();
        assert!(wait(dir.path(), ID, soon()).unwrap());
        assert!(start.elapsed() >= Duration::from_millis(50));
        assert!(!wait(dir.path(), ID, soon()).unwrap());
    }

    #[test]
    fn locks_that_are_old_are_swept() {
        let dir = tempfile::tempdir().unwrap();
        lock(dir.path(), ID).unwrap();
        sweep(dir.path());
        assert!(path(dir.path()).exists());
        set_age(dir.path(), SETTLED * 2);
        sweep(dir.path());
        assert!(!path(dir.path()).exists());
    }
}
