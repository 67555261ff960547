//! Removals that could not be done yet, on disk until they can: the API or the agent was down when a
//! container went away, and the runtime must not wait for them.
//!
//! One file for each interface. Whoever works on one holds that interface's lock, so a container that
//! came back under the same id is never taken apart by an old entry.

use std::time::SystemTime;

use uuid::Uuid;

use super::pending::{LONGEST_PAUSE, Pending, entries, peek, read, write};
use super::run;
use crate::attach::attacher::Attacher;
use crate::error::{self, Result};
use crate::state::lock::InterfaceLock;
use crate::values::Deadline;

/// How many entries one call works off besides its own job.
const AT_ONCE: usize = 8;

/// A removal that waits, as people want to see it.
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

/// Whether an entry is left alone between two tries.
#[derive(Clone, Copy, PartialEq)]
enum Haste {
    WhenDue,
    AtOnce,
}

/// How working on an entry went.
enum Outcome {
    Done,
    StillPending,
    /// Another call is working on this interface, or the entry is gone.
    Skipped,
}

impl Attacher {
    /// Works off a few pending removals of earlier calls, those first that were tried longest ago.
    /// What fails again stays, and is left alone for a while: a second, twice as long after each further
    /// time, a minute at most.
    ///
    /// Returns how many entries were completed.
    pub fn work_off_pending(&self, deadline: Deadline) -> usize {
        self.work_off_at_most(AT_ONCE, Haste::WhenDue, deadline)
    }

    /// Works off every pending removal, once. What fails again stays.
    ///
    /// Returns how many entries were completed.
    pub fn work_off_all_pending(&self, deadline: Deadline) -> usize {
        self.work_off_at_most(usize::MAX, Haste::AtOnce, deadline)
    }

    /// The removals that wait, the one first that was tried longest ago.
    ///
    /// # Errors
    /// When an entry cannot be read.
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
            .filter(|(tried, id)| haste == Haste::AtOnce || self.is_due(*tried, *id))
            .map(|(_, id)| self.work_off(id, deadline))
            .filter(|outcome| !matches!(outcome, Outcome::Skipped))
            .take(count)
            .filter(|outcome| matches!(outcome, Outcome::Done))
            .count()
    }

    /// Whether an entry has been left alone for long enough.
    fn is_due(&self, tried: SystemTime, interface: Uuid) -> bool {
        let entry = peek(&self.host.state_dir, interface);
        let pause = entry.ok().flatten().map(|entry| entry.pause());
        // A clock that was set back must not stop it.
        let since = tried.elapsed().unwrap_or(LONGEST_PAUSE);
        pause.is_none_or(|pause| since >= pause)
    }

    fn work_off(&self, interface: Uuid, deadline: Deadline) -> Outcome {
        let worked = match InterfaceLock::at_once(&self.host.run_dir, interface) {
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
        let Some(mut pending) = read(state_dir, interface)? else {
            return Ok(Outcome::Skipped);
        };
        let steps = pending.steps.clone();
        let failed = run::run(&self.backend, &self.host, steps.clone(), deadline);
        if !failed.is_empty() {
            pending.retries = pending.retries.saturating_add(1);
        }
        let left = Pending::after(Some(pending), interface, &steps, &failed);
        write(state_dir, interface, left.as_ref())?;
        let Some(first) = failed.first() else {
            return Ok(Outcome::Done);
        };
        let error = error::report(&first.error);
        log::warn!("interface {interface} still waits for its removal: {error}");
        Ok(Outcome::StillPending)
    }
}
