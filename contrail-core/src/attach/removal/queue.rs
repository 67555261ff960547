//! The queue of deferred removals, on disk: the API or the agent was down when a container ended, and the
//! runtime must not wait for them.
//!
//! One entry for each interface. Every call that works on an entry holds the interface's lock, so an old entry
//! never removes a container that came back under the same id.

use std::time::SystemTime;

use uuid::Uuid;

use super::owner::Proof;
use super::pending::{LONGEST_PAUSE, Pending, entries, peek, read, write};
use super::run;
use crate::attach::attacher::Attacher;
use crate::error::{self, Result};
use crate::state::lock::InterfaceLock;
use crate::values::Deadline;

/// How many entries one call runs besides its own work.
const MAX_PER_CALL: usize = 8;

/// A deferred removal, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRemoval {
    /// The VM interface.
    pub interface: Uuid,
    /// When it was tried last.
    pub tried: SystemTime,
    /// Why it failed then.
    pub error: String,
    /// How often it was tried again.
    pub retries: u32,
}

/// Whether to respect the pause between two tries.
#[derive(Clone, Copy, PartialEq)]
enum Haste {
    WhenDue,
    Immediate,
}

/// The result of a try.
enum Outcome {
    Done,
    StillPending,
    /// Another call is working on this interface, or the entry is gone.
    Skipped,
}

impl Attacher {
    /// Runs a few deferred removals of earlier calls, the ones tried longest ago first. A removal that fails
    /// again stays in the queue, and is not tried again for a while: a second, twice as long after each further
    /// failure, a minute at most.
    ///
    /// Returns how many entries were completed.
    pub fn work_off_pending(&self, deadline: Deadline) -> usize {
        self.work_off_at_most(MAX_PER_CALL, Haste::WhenDue, deadline)
    }

    /// Runs every deferred removal, once. A removal that fails again stays in the queue.
    ///
    /// Returns how many entries were completed.
    pub fn work_off_all_pending(&self, deadline: Deadline) -> usize {
        self.work_off_at_most(usize::MAX, Haste::Immediate, deadline)
    }

    /// The deferred removals, the one tried longest ago first.
    ///
    /// # Errors
    /// If an entry cannot be read.
    pub fn pending_removals(&self) -> Result<Vec<PendingRemoval>> {
        let state_dir = &self.host.state_dir;
        let mut removals = Vec::new();
        for (tried, interface) in entries(state_dir).by_age()? {
            // Another call may have completed it by now.
            if let Some(entry) = peek(state_dir, interface)? {
                removals.push(PendingRemoval {
                    interface,
                    tried,
                    error: entry.error,
                    retries: entry.retries,
                });
            }
        }
        Ok(removals)
    }

    fn work_off_at_most(&self, count: usize, haste: Haste, deadline: Deadline) -> usize {
        let entries = entries(&self.host.state_dir).by_age();
        let entries = entries.inspect_err(|error| log::warn!("{}", error::report(error)));
        entries
            .unwrap_or_default()
            .into_iter()
            .take_while(|_| !deadline.has_passed())
            .filter(|(tried, id)| haste == Haste::Immediate || self.is_due(*tried, *id))
            .map(|(_, id)| self.work_off(id, deadline))
            .filter(|outcome| !matches!(outcome, Outcome::Skipped))
            .take(count)
            .filter(|outcome| matches!(outcome, Outcome::Done))
            .count()
    }

    /// Whether the pause after the last try is over.
    fn is_due(&self, tried: SystemTime, interface: Uuid) -> bool {
        let entry = peek(&self.host.state_dir, interface);
        let pause = entry.ok().flatten().map(|entry| entry.pause());
        // A clock that was set back must not stop it.
        let since = tried.elapsed().unwrap_or(LONGEST_PAUSE);
        pause.is_none_or(|pause| since >= pause)
    }

    fn work_off(&self, interface: Uuid, deadline: Deadline) -> Outcome {
        let worked = match InterfaceLock::try_acquire(&self.host.run_dir, interface) {
            Ok(Some(_lock)) => self.finish(interface, deadline),
            Ok(None) => Ok(Outcome::Skipped),
            Err(error) => Err(error),
        };
        worked.unwrap_or_else(|error| {
            log::warn!("{}", error::report(&error));
            Outcome::StillPending
        })
    }

    fn finish(&self, interface: Uuid, deadline: Deadline) -> Result<Outcome> {
        let state_dir = &self.host.state_dir;
        let Some(mut pending) = read(state_dir, interface)?.entry() else {
            return Ok(Outcome::Skipped);
        };
        let steps = pending.steps.clone();
        let failed = run::run(
            &self.backend,
            &self.host,
            steps.clone(),
            Proof::Mark,
            deadline,
        );
        if !failed.is_empty() {
            pending.retries = pending.retries.saturating_add(1);
        }
        let left = Pending::after(Some(pending), interface, &steps, &failed);
        write(state_dir, interface, left.as_ref())?;
        let Some(first) = failed.first() else {
            return Ok(Outcome::Done);
        };
        let error = error::report(&first.error);
        log::warn!("the removal of interface {interface} is still pending: {error}");
        Ok(Outcome::StillPending)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

    use super::*;
    use crate::agent::Agent;
    use crate::attach::attacher::{Backend, Host};
    use crate::attach::removal::step::Step;
    use crate::kernel::Kernel;
    use crate::testing::{self, FakeTransport, client_of};

    #[test]
    fn a_try_that_fails_writes_the_entry_once() {
        let dir = tempfile::tempdir().unwrap();
        let (state_dir, run_dir) = (dir.path().join("state"), dir.path().join("run"));
        let down = FakeTransport::new(|_| Err(testing::refused()));
        let backend = Backend {
            client: client_of(down.clone()),
            agent: Agent::new(down, "agent:9091".into(), dir.path().join("ports")),
            dataplane: Arc::new(Kernel::new()),
        };
        let host = Host {
            state_dir: state_dir.clone(),
            run_dir,
            ..testing::host()
        };
        let id = Uuid::from_u128(9);
        let pending = Pending {
            steps: vec![Step::Interface(id)],
            error: "down".into(),
            retries: 0,
        };
        write(&state_dir, id, Some(&pending)).unwrap();

        let writes = Inotify::init(InitFlags::IN_NONBLOCK).unwrap();
        let watched = state_dir.join("pending");
        writes
            .add_watch(&watched, AddWatchFlags::IN_MOVED_TO)
            .unwrap();
        let soon = Deadline::after(Duration::from_secs(5));
        let attacher = Attacher::new(backend, host);
        assert_eq!(attacher.work_off_all_pending(soon), 0);
        assert_eq!(writes.read_events().unwrap().len(), 1);
        let removals = attacher.pending_removals().unwrap();
        assert_eq!((removals.len(), removals[0].retries), (1, 1));
        assert!(removals[0].error.contains("cannot reach"));
    }
}
