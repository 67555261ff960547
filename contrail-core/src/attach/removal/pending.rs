//! What is left to remove for one interface, as an entry on disk.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::run::{self, Failed};
use super::step::Step;
use crate::error::{self, Result};
use crate::state::{Durability, Entries, Entry, Lookup};
use crate::values::Family;

/// The pause after the third failed try of an entry; it doubles with each further failure, up to the longest.
/// The first retry is in the same call, in which one request was lost, the second in the next call.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What is left to remove for one interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) steps: Vec<Step>,
    /// Why the first of them failed.
    pub(super) error: String,
    /// How often it was tried again.
    #[serde(default)]
    pub(super) retries: u32,
}

impl Entry for Pending {
    const KIND: &str = "deferred removal";
    const VERSION: u32 = 1;

    /// Entries without version may lack the step that ends the membership in a service.
    fn upgrade(_version: u32, value: Value) -> serde_json::Result<Self> {
        let mut pending: Self = serde_json::from_value(value)?;
        let interfaces = pending.steps.iter().filter_map(|step| match step {
            Step::Interface(interface) => Some(*interface),
            _ => None,
        });
        let services = interfaces.map(|interface| Step::Service { interface });
        let mut lacking: Vec<Step> = services.collect();
        lacking.retain(|step| !pending.steps.contains(step));
        pending.steps.extend(lacking);
        Ok(pending)
    }
}

impl Pending {
    /// The pause before the next try: calls for other containers must not repeatedly wait for it.
    pub(super) fn pause(&self) -> Duration {
        match self.retries.checked_sub(2) {
            None => Duration::ZERO,
            Some(more) => LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.saturating_pow(more)),
        }
    }

    /// What is known of a damaged entry: its interface.
    fn of_damaged(interface: Uuid) -> Self {
        Self {
            steps: Step::of_interface(interface, &[Family::V4]),
            error: "the entry was damaged".into(),
            retries: 0,
        }
    }

    /// What is left to do for an interface after `steps` were run and some of them failed, with what an
    /// earlier call has kept and this one has not done; `None` if nothing is.
    pub(super) fn after(
        earlier: Option<Self>,
        interface: Uuid,
        steps: &[Step],
        failed: &[Failed],
    ) -> Option<Self> {
        let own = |step: &Step| step.belongs_to(interface);
        let error = failed.iter().find(|failed| own(&failed.step));
        let mut left = match error {
            Some(_) => run::left_of(steps, failed),
            None => Vec::new(),
        };
        left.retain(own);
        let mut text = error.map(|failed| error::report(&failed.error));
        let mut retries = 0;
        if let Some(earlier) = earlier {
            left.extend(earlier.steps.into_iter().filter(|s| !steps.contains(s)));
            text = text.or(Some(earlier.error));
            retries = earlier.retries;
        }
        let error = text.unwrap_or_default();
        (!left.is_empty()).then_some(Self {
            steps: left,
            error,
            retries,
        })
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
    let earlier = match read(state_dir, interface)? {
        // Its removal is the work of the release that wrote it.
        Lookup::Newer => return Ok(()),
        found => found.entry(),
    };
    let pending = Pending::after(earlier, interface, steps, failed);
    write(state_dir, interface, pending.as_ref())
}

pub(super) fn write(state_dir: &Path, interface: Uuid, pending: Option<&Pending>) -> Result<()> {
    match pending {
        Some(pending) => entries(state_dir).put(&interface, pending),
        None => forget(state_dir, interface),
    }
}

/// Removes the entry of an interface that has been created again: its content no longer applies.
pub(crate) fn forget(state_dir: &Path, interface: Uuid) -> Result<()> {
    entries(state_dir).remove(&interface).map(drop)
}

/// The entry, for a caller that holds the interface's lock. A damaged one is replaced by what its file
/// name says.
pub(super) fn read(state_dir: &Path, interface: Uuid) -> Result<Lookup<Pending>> {
    let entries = entries(state_dir);
    match entries.find(&interface)? {
        Lookup::Damaged => {
            log::warn!(
                "the entry of the deferred removal of interface {interface} cannot be read: the interface is \
                 removed, but its virtual machine object may remain"
            );
            let pending = Pending::of_damaged(interface);
            // If it cannot be written, this call still runs it.
            if let Err(error) = entries.put(&interface, &pending) {
                log::warn!("{}", error::report(&error));
            }
            Ok(Lookup::Entry(pending))
        }
        found => Ok(found),
    }
}

/// The entry, for a caller that holds no lock; of a damaged one what its file name says.
pub(super) fn peek(state_dir: &Path, interface: Uuid) -> Result<Option<Pending>> {
    Ok(match entries(state_dir).peek(&interface)? {
        Lookup::Damaged => Some(Pending::of_damaged(interface)),
        found => found.entry(),
    })
}

/// The entries, each with the id of a VM interface as key.
pub(super) fn entries(state_dir: &Path) -> Entries<Uuid, Pending> {
    Entries::new(state_dir.join("pending"), Durability::Synced).best_effort()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::PathBuf;
    use std::time::SystemTime;

    use crate::error::Error;

    use super::*;

    const ID: Uuid = Uuid::from_u128(9);

    fn path(dir: &Path, interface: Uuid) -> PathBuf {
        entries(dir).path(&interface).unwrap()
    }

    fn failed(step: Step) -> Failed {
        let error = Error::missing("a", "b").into();
        Failed { step, error }
    }

    fn ids(dir: &Path) -> Vec<Uuid> {
        let found = entries(dir).by_age().unwrap().into_iter();
        found.map(|(_, id)| id).collect()
    }

    fn steps_of(dir: &Path, id: Uuid) -> Vec<Step> {
        let pending = read(dir, id).unwrap().entry();
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
        assert_eq!(peek(dir.path(), ID).unwrap(), Some(Pending::of_damaged(ID)));
        let steps = steps_of(dir.path(), ID);
        assert_eq!(steps, Step::of_interface(ID, &[Family::V4]));
        // It replaces the damaged one.
        assert_eq!(ids(dir.path()), [ID]);
    }

    #[test]
    fn an_entry_that_fails_again_is_left_alone_longer_and_longer() {
        let dir = tempfile::tempdir().unwrap();
        let mut pauses = Vec::new();
        for retries in 0..9 {
            let steps = [Step::AgentPort(ID)];
            settle(dir.path(), ID, &steps, &[failed(Step::AgentPort(ID))]).unwrap();
            let pending = read(dir.path(), ID).unwrap().entry().unwrap();
            // The calls of the runtime itself do not count.
            assert_eq!(pending.retries, retries);
            pauses.push(pending.pause().as_secs());
            let retries = retries + 1;
            write(dir.path(), ID, Some(&Pending { retries, ..pending })).unwrap();
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
