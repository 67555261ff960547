//! Removals that could not be done yet, on disk until they can: the API or the agent was down when a
//! container went away, and the runtime must not wait for them.
//!
//! One file for each interface. Whoever works on one holds that interface's lock, so a container that
//! came back under the same id is never taken apart by an old entry.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::run::{self, Failed};
use super::step::Step;
use crate::attach::attacher::Attacher;
use crate::error::{self, Error, Result};
use crate::files;
use crate::state::lock::AttachmentLock;
use crate::values::Deadline;
use crate::values::Family;

/// How many entries one call works off besides its own job.
const AT_ONCE: usize = 8;

/// How long an entry is left alone after it was tried again twice and has failed again; twice as long after
/// each further time, up to the longest. The first time is in the same call, where one request was lost, the
/// second in the next one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What is left to remove for one interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    steps: Vec<Step>,
    error: String,
    /// How often it was tried again.
    #[serde(default)]
    retries: u32,
}

impl Pending {
    /// How long it is left alone: calls for other containers must not wait for it again and again.
    fn pause(&self) -> Duration {
        match self.retries.checked_sub(2) {
            None => Duration::ZERO,
            Some(more) => LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.saturating_pow(more)),
        }
    }
}

/// Keeps what is left to do for an interface after `steps` were run and some of them failed, and what
/// an earlier call has kept and this one has not done. It is on disk when this returns.
pub(crate) fn settle(
    state_dir: &Path,
    interface: Uuid,
    steps: &[Step],
    failed: &[Failed],
) -> Result<()> {
    let path = path(state_dir, interface);
    let earlier = read(&path, interface)?;
    let own = |step: &&Step| step.belongs_to(interface);
    let error = failed.iter().find(|f| own(&&f.step));
    let mut left = match error {
        Some(_) => run::left_of(steps, failed),
        None => Vec::new(),
    };
    left.retain(|step| own(&step));
    let mut text = error.map(|f| error::report(&f.error));
    let retries = earlier.as_ref().map_or(0, |earlier| earlier.retries);
    if let Some(earlier) = earlier {
        left.extend(earlier.steps.into_iter().filter(|s| !steps.contains(s)));
        text = text.or(Some(earlier.error));
    }
    if left.is_empty() {
        return forget(state_dir, interface);
    }
    let pending = Pending {
        steps: left,
        error: text.unwrap_or_default(),
        retries,
    };
    write(&path, &pending)
}

fn write(path: &Path, pending: &Pending) -> Result<()> {
    let text = serde_json::to_vec(pending).map_err(|source| Error::Decode {
        what: format!("what {} should hold", path.display()),
        source,
    })?;
    files::write_private(path, &text)
}

/// Drops the entry of an interface: it has been made again, so that what it says is no longer true.
pub(crate) fn forget(state_dir: &Path, interface: Uuid) -> Result<()> {
    files::remove(&path(state_dir, interface)).map(|_| ())
}

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
    /// Somebody is working on this very interface, or the entry is gone.
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
        for (tried, interface) in entries(state_dir) {
            // Somebody else may be done with it by now.
            if let Some(entry) = read(&path(state_dir, interface), interface)? {
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
        let entries = entries(&self.host.state_dir).into_iter();
        entries
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
        let entry = read(&path(&self.host.state_dir, interface), interface);
        let pause = entry.ok().flatten().map(|entry| entry.pause());
        // A clock that was set back must not stop it.
        let since = tried.elapsed().unwrap_or(LONGEST_PAUSE);
        pause.is_none_or(|pause| since >= pause)
    }

    fn work_off(&self, interface: Uuid, deadline: Deadline) -> Outcome {
        let worked = match AttachmentLock::at_once(&self.host.run_dir, interface) {
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
        let Some(pending) = read(&path(state_dir, interface), interface)? else {
            return Ok(Outcome::Skipped);
        };
        let failed = run::run(&self.backend, &self.host, pending.steps.clone(), deadline);
        if !failed.is_empty() {
            let retries = pending.retries.saturating_add(1);
            write(
                &path(state_dir, interface),
                &Pending {
                    retries,
                    ..pending.clone()
                },
            )?;
        }
        settle(state_dir, interface, &pending.steps, &failed)?;
        let Some(first) = failed.first() else {
            return Ok(Outcome::Done);
        };
        let error = error::report(&first.error);
        log::warn!("interface {interface} still waits for its removal: {error}");
        Ok(Outcome::StillPending)
    }
}

/// The interfaces that have an entry, with when that was written; the oldest first.
fn entries(state_dir: &Path) -> Vec<(SystemTime, Uuid)> {
    let files = fs::read_dir(state_dir.join("pending"))
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<(SystemTime, Uuid)> = files
        .filter_map(|file| {
            let id = id_of(&file.file_name().to_string_lossy())?;
            let written = file.metadata().and_then(|m| m.modified()).ok();
            Some((written.unwrap_or(SystemTime::UNIX_EPOCH), id))
        })
        .collect();
    found.sort();
    found
}

/// The interface of an entry's file name; `None` for a temporary file and anything foreign.
fn id_of(name: &str) -> Option<Uuid> {
    name.strip_suffix(".json")?.parse().ok()
}

/// The entry; of a damaged one what its name alone tells.
fn read(path: &Path, interface: Uuid) -> Result<Option<Pending>> {
    let text = match files::read_private(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::file("read", path, e)),
    };
    let mut pending: Pending = serde_json::from_slice(&text).unwrap_or_else(|e| {
        let path = path.display();
        log::warn!("{path} is damaged ({e}): the interface's virtual machine object may stay");
        Pending {
            steps: Step::of_interface(interface, &[Family::V4]),
            error: "the entry was damaged".into(),
            retries: 0,
        }
    });
    // Entries of version 0.1.0 may lack it.
    let leave = Step::Service { interface };
    if pending.steps.contains(&Step::Interface(interface)) && !pending.steps.contains(&leave) {
        pending.steps.push(leave);
    }
    Ok(Some(pending))
}

fn path(state_dir: &Path, interface: Uuid) -> PathBuf {
    state_dir.join("pending").join(format!("{interface}.json"))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    const ID: Uuid = Uuid::from_u128(9);

    fn failed(step: Step) -> Failed {
        let error = Error::missing("a", "b").into();
        Failed { step, error }
    }

    fn ids(dir: &Path) -> Vec<Uuid> {
        entries(dir).into_iter().map(|(_, id)| id).collect()
    }

    fn steps_of(dir: &Path, id: Uuid) -> Vec<Step> {
        let pending = read(&path(dir, id), id).unwrap();
        pending.map_or(Vec::new(), |pending| pending.steps)
    }

    #[test]
    fn what_failed_is_kept_with_what_must_follow_it() {
        let dir = tempfile::tempdir().unwrap();
        let networks = Step::Networks { interface: ID };
        let service = Step::Service { interface: ID };
        let steps = [
            Step::AgentPort(ID),
            service.clone(),
            Step::Interface(ID),
            Step::Machine(ID),
            networks.clone(),
        ];
        let failed = failed(service.clone());
        settle(dir.path(), ID, &steps, &[failed]).unwrap();
        assert_eq!(ids(dir.path()), [ID]);
        let left = [service, Step::Interface(ID), Step::Machine(ID), networks];
        assert_eq!(steps_of(dir.path(), ID), left);

        // A call that does less leaves the rest; one that does all of it leaves nothing.
        settle(dir.path(), ID, &left[..2], &[]).unwrap();
        assert_eq!(steps_of(dir.path(), ID), left[2..]);
        settle(dir.path(), ID, &steps, &[]).unwrap();
        assert!(ids(dir.path()).is_empty());
    }

    #[test]
    fn an_interface_of_an_old_entry_leaves_its_service_first() {
        let dir = tempfile::tempdir().unwrap();
        // As version 0.1.0 left it after the membership had been ended.
        let old = format!(r#"{{"steps": [{{"interface": "{ID}"}}], "error": "down"}}"#);
        fs::create_dir(dir.path().join("pending")).unwrap();
        fs::write(path(dir.path(), ID), old).unwrap();
        let steps = [Step::Interface(ID), Step::Service { interface: ID }];
        assert_eq!(steps_of(dir.path(), ID), steps);
    }

    #[test]
    fn what_failed_for_another_interface_is_not_ours() {
        let dir = tempfile::tempdir().unwrap();
        let other = Uuid::from_u128(10 << 80);
        let steps = [Step::Interface(ID), Step::Interface(other)];
        let interface = failed(Step::Interface(other));
        settle(dir.path(), ID, &steps, &[interface]).unwrap();
        assert!(ids(dir.path()).is_empty());
    }

    #[test]
    fn of_a_damaged_entry_the_name_counts_and_a_foreign_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("pending")).unwrap();
        fs::write(dir.path().join("pending/notes.txt"), "x").unwrap();
        fs::write(path(dir.path(), ID), "{").unwrap();
        assert_eq!(ids(dir.path()), [ID]);
        let steps = steps_of(dir.path(), ID);
        assert_eq!(steps, Step::of_interface(ID, &[Family::V4]));
    }

    #[test]
    fn an_entry_that_fails_again_is_left_alone_longer_and_longer() {
        let dir = tempfile::tempdir().unwrap();
        let mut pauses = Vec::new();
        for retries in 0..9 {
            let steps = [Step::AgentPort(ID)];
            settle(dir.path(), ID, &steps, &[failed(Step::AgentPort(ID))]).unwrap();
            let pending = read(&path(dir.path(), ID), ID).unwrap().unwrap();
            // The calls of the runtime itself do not count.
            assert_eq!(pending.retries, retries);
            pauses.push(pending.pause().as_secs());
            let retries = retries + 1;
            write(&path(dir.path(), ID), &Pending { retries, ..pending }).unwrap();
        }
        assert_eq!(pauses, [0, 0, 1, 2, 4, 8, 16, 32, 60]);
    }

    #[test]
    fn the_entry_that_was_tried_longest_ago_comes_first() {
        let dir = tempfile::tempdir().unwrap();
        for (number, second) in [(1, 30), (2, 10), (3, 20)] {
            let id = Uuid::from_u128(number << 80);
            settle(
                dir.path(),
                id,
                &[Step::AgentPort(id)],
                &[failed(Step::AgentPort(id))],
            )
            .unwrap();
            let file = File::options().write(true).open(path(dir.path(), id));
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
            file.unwrap().set_modified(time).unwrap();
        }
        let order = [2, 3, 1].map(|number| Uuid::from_u128(number << 80));
        assert_eq!(ids(dir.path()), order);
    }
}
