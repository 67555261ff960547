//! Cleaning up on an operator's request: deferred removals, and orphans.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::attach::attacher::Attacher;
use crate::attach::error::{Error, Result};
use crate::attach::housekeeping::fate::Fate;
use crate::attach::housekeeping::machines::IdleMachine;
use crate::attach::housekeeping::orphans::Orphan;
use crate::attach::housekeeping::waiting::Waiting;
use crate::error::{counted, report};
use crate::files;
use crate::values::Deadline;
use crate::values::FqName;

/// The grace period for orphans unless the operator gives another one. It must be longer than the start of
/// a container, whose interface has no link until then.
pub const ORPHAN_GRACE: Duration = Duration::from_secs(600);

/// What a clean-up has found and done. Its text is a report for the operator.
#[derive(Debug)]
pub struct Cleaned {
    /// How many removals of earlier calls were completed.
    pub finished: usize,
    /// What is still pending.
    pub waiting: Vec<Waiting>,
    /// The grace period after which orphans were to be removed; `None` when none were.
    pub grace: Option<Duration>,
    /// The orphans of each project, each with what became of it; or why they could not be found.
    pub projects: Vec<(FqName, Result<Decided>)>,
    /// The virtual machines of this host without interfaces, each with what became of it; or why they
    /// could not be found.
    pub machines: Result<Vec<(IdleMachine, Fate)>>,
}

/// Orphans, each with what became of it.
pub type Decided = Vec<(Orphan, Fate)>;

impl Attacher {
    /// Runs all deferred removals, looks for the orphans of some projects, and removes those that were
    /// recorded at least `grace` ago; none if it is unset.
    ///
    /// A project that cannot be checked and an orphan that cannot be removed do not stop the others: see
    /// [`Cleaned::outcome`].
    ///
    /// # Errors
    /// When the state directory cannot be used.
    ///
    /// ```no_run
    /// # fn example(attacher: &contrail_core::attach::Attacher) -> contrail_core::attach::Result<()> {
    /// use std::time::Duration;
    ///
    /// use contrail_core::Deadline;
    /// use contrail_core::attach::ORPHAN_GRACE;
    ///
    /// let project = "default-domain:admin".parse()?;
    /// let cleaned = attacher.clean(&[project], Some(ORPHAN_GRACE), Deadline::after(Duration::from_secs(60)))?;
    /// print!("{cleaned}");
    /// cleaned.outcome()
    /// # }
    /// ```
    pub fn clean(
        &self,
        projects: &[FqName],
        grace: Option<Duration>,
        deadline: Deadline,
    ) -> Result<Cleaned> {
        files::sweep(&self.host.state_dir);
        let finished = self.work_off_all_pending(deadline);
        let of_project = |project: &FqName| {
            let orphans = self.orphans(project, deadline)?.into_iter();
            let with_fate = orphans.map(|orphan| {
                let fate = self.decide(&orphan, grace, deadline);
                (orphan, fate)
            });
            Ok(with_fate.collect())
        };
        let projects = projects.iter();
        let projects = projects.map(|project| (project.clone(), of_project(project)));
        let projects = projects.collect();
        Ok(Cleaned {
            finished,
            grace,
            projects,
            // What is left when the interfaces have gone.
            machines: self.clean_machines(grace.is_some(), deadline),
            waiting: self.waiting()?,
        })
    }

    fn clean_machines(
        &self,
        removes: bool,
        deadline: Deadline,
    ) -> Result<Vec<(IdleMachine, Fate)>> {
        let idle = self.idle_machines(deadline)?.into_iter();
        let with_fate = idle.map(|machine| {
            let fate = match removes {
                true => self.remove_idle(&machine, deadline),
                false => Fate::Stays,
            };
            (machine, fate)
        });
        Ok(with_fate.collect())
    }

    fn decide(&self, orphan: &Orphan, grace: Option<Duration>, deadline: Deadline) -> Fate {
        let removed = match grace {
            Some(grace) => self.remove_orphan(orphan, grace, deadline),
            None => Ok(false),
        };
        match removed {
            Ok(true) => Fate::Removed,
            Ok(false) => Fate::Stays,
            Err(error) => Fate::Failed(error),
        }
    }
}

impl fmt::Display for Cleaned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_removal = |waiting: &&Waiting| matches!(waiting, Waiting::Removal(_));
        let (finished, removals) = (
            self.finished,
            self.waiting.iter().filter(is_removal).count(),
        );
        writeln!(
            f,
            "{} completed, {removals} pending",
            counted(finished, "deferred removal")
        )?;
        for waiting in self
            .waiting
            .iter()
            .filter(|waiting| !self.has_shown(waiting))
        {
            writeln!(f, "  {waiting}")?;
        }
        for (project, orphans) in &self.projects {
            let orphans = match orphans {
                Ok(orphans) => orphans,
                Err(error) => {
                    let error = report(error);
                    writeln!(f, "project {project}: cannot be checked: {error}")?;
                    continue;
                }
            };
            let removed = orphans.iter();
            let removed = removed.filter(|(_, fate)| matches!(fate, Fate::Removed));
            let removed = removed.count();
            let found = counted(orphans.len(), "orphan");
            writeln!(f, "project {project}: {found}, {removed} of them removed")?;
            for (orphan, fate) in orphans {
                self.describe(orphan, fate, f)?;
            }
        }
        match &self.machines {
            Err(error) => {
                let error = report(error);
                writeln!(f, "virtual machines: cannot be checked: {error}")
            }
            Ok(idle) => idle
                .iter()
                .try_for_each(|(machine, fate)| self.describe_machine(machine, fate, f)),
        }
    }
}

impl Cleaned {
    /// Whether everything could be checked, and all that was to be removed was. Deferred removals are no error:
    /// they are tried again.
    ///
    /// # Errors
    /// [`Error::Left`] with everything that failed.
    pub fn outcome(self) -> Result<()> {
        let failed = |fate| match fate {
            Fate::Failed(error) => Some(error),
            Fate::Removed | Fate::Stays => None,
        };
        let mut errors = Vec::new();
        for (_, orphans) in self.projects {
            match orphans {
                Ok(found) => errors.extend(found.into_iter().filter_map(|(_, fate)| failed(fate))),
                Err(error) => errors.push(error),
            }
        }
        match self.machines {
            Ok(found) => errors.extend(found.into_iter().filter_map(|(_, fate)| failed(fate))),
            Err(error) => errors.push(error),
        }
        match errors.is_empty() {
            true => Ok(()),
            false => Err(Error::Left(errors)),
        }
    }

    /// Whether it is an orphan of a project that was checked: the project's lines show what became of it.
    fn has_shown(&self, waiting: &Waiting) -> bool {
        let Waiting::Orphan { project, .. } = waiting else {
            return false;
        };
        let mut looked_at = self.projects.iter().filter(|(_, found)| found.is_ok());
        looked_at.any(|(name, _)| name == project)
    }

    fn describe_machine(
        &self,
        machine: &IdleMachine,
        fate: &Fate,
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        let IdleMachine { id, container } = machine;
        write!(f, "virtual machine {id} of container {container}: ")?;
        match (fate, self.grace) {
            (Fate::Removed, _) => writeln!(f, "removed"),
            (Fate::Failed(reason), _) => writeln!(f, "cannot be removed: {}", report(reason)),
            (Fate::Stays, Some(_)) => writeln!(f, "now has an interface"),
            (Fate::Stays, None) => writeln!(f, "has no interface; use --remove to remove it"),
        }
    }

    fn describe(&self, orphan: &Orphan, fate: &Fate, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (holder, id, since) = (&orphan.holder, orphan.interface, age(orphan.since));
        write!(f, "  {holder} ({id}), noted {since} s ago: ")?;
        match (fate, self.grace) {
            (Fate::Removed, _) => writeln!(f, "removed"),
            (Fate::Failed(reason), _) => writeln!(f, "cannot be removed: {}", report(reason)),
            (Fate::Stays, Some(grace)) if since < grace.as_secs() => {
                writeln!(f, "kept for a grace period of {} s", grace.as_secs())
            }
            (Fate::Stays, Some(_)) => writeln!(f, "is no longer an orphan"),
            (Fate::Stays, None) => writeln!(f, "kept; use --remove to remove it"),
        }
    }
}

fn age(time: SystemTime) -> u64 {
    time.elapsed().unwrap_or_default().as_secs()
}
