//! Cleaning up on an operator's demand: removals that wait, and orphans.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::{Attacher, Orphan, PendingRemoval};
use crate::deadline::Deadline;
use crate::error::{Result, report};
use crate::fq_name::FqName;

/// What a clean-up has found and done. Its text is a report for the operator.
#[derive(Clone, Debug, Default)]
pub struct Cleaned {
    /// How many removals of earlier calls were completed.
    pub finished: usize,
    /// The removals that still wait.
    pub pending: Vec<PendingRemoval>,
    /// How long an orphan had to be noted to be removed; `None` when none was to be.
    pub grace: Option<Duration>,
    /// The orphans of each project, each with what became of it.
    pub projects: Vec<(FqName, Vec<(Orphan, Fate)>)>,
}

/// What became of an orphan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is removed, or its removal waits like others.
    Removed,
    /// It stays: nobody asked for its removal, it is too new, or it is no orphan any more.
    Stays,
    /// It could not be removed, for this reason.
    Failed(String),
}

impl Attacher {
    /// Works off all removals that wait, looks for the orphans of some projects, and removes those that
    /// were noted at least `grace` ago; none without it.
    ///
    /// An orphan that cannot be removed does not keep the others.
    ///
    /// # Errors
    /// When somebody cannot be asked, or the state directory cannot be used.
    pub fn clean(
        &self,
        projects: &[FqName],
        grace: Option<Duration>,
        deadline: Deadline,
    ) -> Result<Cleaned> {
        let finished = self.work_off_all_pending(deadline);
        let mut found = Vec::new();
        for project in projects {
            let mut orphans = Vec::new();
            for orphan in self.orphans(project, deadline)? {
                let removed = match grace {
                    Some(grace) => self.remove_orphan(&orphan, grace, deadline),
                    None => Ok(false),
                };
                let fate = match removed {
                    Ok(true) => Fate::Removed,
                    Ok(false) => Fate::Stays,
                    Err(error) => Fate::Failed(report(&error)),
                };
                orphans.push((orphan, fate));
            }
            found.push((project.clone(), orphans));
        }
        Ok(Cleaned {
            finished,
            pending: self.pending_removals()?,
            grace,
            projects: found,
        })
    }
}

impl fmt::Display for Cleaned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (finished, waiting) = (self.finished, self.pending.len());
        writeln!(
            f,
            "{finished} removals of earlier calls were done, {waiting} wait"
        )?;
        for pending in &self.pending {
            let (interface, retries) = (pending.interface, pending.retries);
            let (tried, error) = (age(pending.tried), &pending.error);
            writeln!(
                f,
                "  VM interface {interface}, tried again {retries} times, last {tried} s ago: {error}"
            )?;
        }
        for (project, orphans) in &self.projects {
            let removed = orphans.iter().filter(|(_, fate)| *fate == Fate::Removed);
            let removed = removed.count();
            let found = orphans.len();
            writeln!(
                f,
                "project {project}: {found} orphans, {removed} of them removed"
            )?;
            for (orphan, fate) in orphans {
                self.describe(orphan, fate, f)?;
            }
        }
        Ok(())
    }
}

impl Cleaned {
    fn describe(&self, orphan: &Orphan, fate: &Fate, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (container, id, since) = (&orphan.container, orphan.interface, age(orphan.since));
        match orphan.ifname.as_str() {
            "" => write!(f, "  endpoint {container} ({id})")?,
            ifname => write!(f, "  container {container}, interface {ifname} ({id})")?,
        }
        write!(f, ", noted {since} s ago: ")?;
        match (fate, self.grace) {
            (Fate::Removed, _) => writeln!(f, "removed"),
            (Fate::Failed(reason), _) => writeln!(f, "cannot be removed: {reason}"),
            (Fate::Stays, Some(grace)) if since < grace.as_secs() => {
                writeln!(f, "stays until {} s", grace.as_secs())
            }
            (Fate::Stays, Some(_)) => writeln!(f, "is none any more"),
            (Fate::Stays, None) => writeln!(f, "stays without --remove"),
        }
    }
}

fn age(time: SystemTime) -> u64 {
    time.elapsed().unwrap_or_default().as_secs()
}
