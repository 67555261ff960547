//! The transaction of one call that attaches: what all its steps share, and what it has done so far.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::api::Client;
use crate::attach::attacher::Backend;
use crate::attach::attacher::Host;
use crate::attach::error::{Error, Result};
use crate::attach::records::orphans;
use crate::attach::records::returns;
use crate::attach::removal::{self, Failed, Proof, Step};
use crate::attach::unwind;
use crate::error;
use crate::values::Deadline;

/// What the steps of one call share.
pub(crate) struct Transaction<'a> {
    pub(crate) host: &'a Host,
    pub(crate) backend: &'a Backend,
    /// When the work must be done; undoing it has what is left until `end`.
    pub(crate) deadline: Deadline,
    end: Deadline,
    interfaces: Vec<Uuid>,
    done: Mutex<Vec<Step>>,
    returned: AtomicBool,
}

impl<'a> Transaction<'a> {
    /// A call about these interfaces of a container, with the ends of
    /// [trying and of the whole](Deadline::with_undo).
    pub(crate) fn new(
        host: &'a Host,
        backend: &'a Backend,
        interfaces: Vec<Uuid>,
        (deadline, end): (Deadline, Deadline),
    ) -> Self {
        Self {
            host,
            backend,
            deadline,
            end,
            interfaces,
            done: Mutex::default(),
            returned: AtomicBool::new(false),
        }
    }

    /// Waits until the controller has forgotten an interface that has just left its service under this id.
    pub(crate) fn await_return(&self, interface: Uuid) -> Result<()> {
        if returns::wait(&self.host.run_dir, interface, self.deadline)? {
            self.returned.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Whether an interface of this call had just left its service.
    pub(crate) fn has_returned(&self) -> bool {
        self.returned.load(Ordering::Relaxed)
    }

    /// The API, for a request that must end with this call.
    pub(crate) fn client(&self) -> Client {
        self.backend.client.until(self.deadline)
    }

    /// Notes what undoes a step that has been done.
    pub(crate) fn note(&self, step: Step) {
        self.done().push(step);
    }

    /// Forgets a step: what it would remove is not of this call.
    pub(crate) fn forget(&self, step: &Step) {
        self.done().retain(|noted| noted != step);
    }

    /// Notes the step that undoes `action` before it is tried, since an answer that gets lost leaves
    /// its effect behind; forgets it when the action is known to have had none.
    pub(crate) fn attempt<T, E: Into<Error>>(
        &self,
        step: Step,
        action: impl FnOnce() -> Result<T, E>,
    ) -> Result<T> {
        self.note(step.clone());
        action().map_err(Into::into).inspect_err(|error| {
            if error.had_no_effect() {
                self.forget(&step);
            }
        })
    }

    /// Does the work of this call; rolls everything back when that fails.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        work()
            .and_then(|value| self.keep().map(|()| value))
            .map_err(|cause| self.undo(cause))
    }

    /// The call succeeded: what it has done stays, and what earlier ones had to leave is either gone or
    /// created again.
    ///
    /// # Errors
    /// When that cannot be recorded; then the call has failed after all.
    fn keep(&self) -> Result<()> {
        for &interface in &self.interfaces {
            removal::forget(&self.host.state_dir, interface)?;
            orphans::forget(&self.host.state_dir, interface)?;
        }
        self.done().clear();
        Ok(())
    }

    /// What this call has done so far stays, whatever becomes of the rest.
    pub(crate) fn stay(&self) {
        self.done().clear();
    }

    /// Rolls back what this call has done. Returns the given error, with what could not be rolled back:
    /// later calls try that again.
    fn undo(&self, cause: Error) -> Error {
        let steps = std::mem::take(&mut *self.done());
        log::debug!("rolling back {} steps after: {cause}", steps.len());
        let left = self.take_back(steps);
        match left.is_empty() {
            true => cause,
            false => Error::Undo {
                cause: Box::new(cause),
                left,
            },
        }
    }

    /// Whether an object may exist that keeps a network: this call has tried to make it.
    pub(crate) fn may_use_network(&self, interface: Uuid) -> bool {
        let steps = [Step::Interface(interface), Step::Networks { interface }];
        self.done().iter().any(|noted| steps.contains(noted))
    }

    /// Runs the steps, and records those that failed. Never panics: that would abort the process if it
    /// is already unwinding.
    fn take_back(&self, steps: Vec<Step>) -> Vec<Error> {
        let operation = || "rolling back".to_owned();
        match unwind::caught(operation, || self.run_back(steps)) {
            Ok(failed) => failed.into_iter().map(|failed| failed.error).collect(),
            Err(panic) => vec![panic.into()],
        }
    }

    fn run_back(&self, mut steps: Vec<Step>) -> Vec<Failed> {
        let leave = |&interface: &Uuid| Step::Networks { interface };
        let is_noted = |interface: &&Uuid| steps.contains(&Step::Interface(**interface));
        let networks: Vec<Step> = self.interfaces.iter().filter(is_noted).map(leave).collect();
        steps.extend(networks);
        let state_dir = &self.host.state_dir;
        let failed = removal::run(
            self.backend,
            self.host,
            steps.clone(),
            Proof::Mark,
            self.end,
        );
        for &interface in &self.interfaces {
            if let Err(error) = removal::settle(state_dir, interface, &steps, &failed) {
                log::error!("{}", error::report(&error));
            }
        }
        failed
    }

    fn done(&self) -> MutexGuard<'_, Vec<Step>> {
        // A panic between two notes leaves a list that is still right.
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Transaction<'_> {
    /// A panic is a failure like any other. A call that succeeds uses [`Transaction::keep`].
    fn drop(&mut self) {
        let steps = std::mem::take(&mut *self.done());
        if steps.is_empty() {
            return;
        }
        for error in self.take_back(steps) {
            log::error!("cannot roll back: {}", error::report(&error));
        }
    }
}

#[cfg(test)]
#[path = "transaction_test.rs"]
mod tests;
