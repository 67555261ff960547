//! Detach: everything that an attachment made goes away, found by computed id.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::types::Detachment;
use super::undo::{self, Failed, Step};
use super::{Attacher, made, pending};
use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::identity::{self, Family};

/// How a detach went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detached {
    /// How many removals had to be put off because the API or the agent was down. They are on disk,
    /// and later calls work them off.
    pub deferred: usize,
}

impl Attacher {
    /// Takes interfaces away: agent port, link, instance IP, VM interface, and the virtual machine
    /// when it has no other interface. Nothing is read first, and what is not there is fine, so this
    /// may be repeated and may be called for containers that never were.
    ///
    /// One interface takes three requests to the API and one to the agent.
    ///
    /// # Errors
    /// What a repetition could not mend either: an object in use by somebody else, or the state
    /// directory not writable while something had to be put off.
    pub fn detach(&self, interfaces: &[Detachment]) -> Result<Detached> {
        let deadline = Deadline::after(self.host.detach_timeout);
        let node = &self.host.node;
        let ids: Vec<Uuid> = interfaces
            .iter()
            .map(|i| identity::interface(node, &i.container, &i.ifname))
            .collect();
        let _locks = self.lock(&ids, deadline)?;

        let mut steps: Vec<Step> = ids
            .iter()
            .flat_map(|&id| Step::of_interface(id, &[Family::V4]))
            .collect();
        let containers: BTreeSet<&str> = interfaces.iter().map(|i| i.container.as_str()).collect();
        steps.extend(
            containers
                .iter()
                .map(|c| Step::Machine(identity::virtual_machine(node, c))),
        );
        let mut failed = undo::run(&self.backend, steps, deadline);
        if failed.is_empty() {
            failed = self.leave_networks(&ids, deadline)?;
        }
        self.settle(&ids, failed)
    }

    /// Removes the networks that this host made and that nobody of this host uses any more.
    pub(super) fn leave_networks(
        &self,
        interfaces: &[Uuid],
        deadline: Deadline,
    ) -> Result<Vec<Failed>> {
        let mut left = Vec::new();
        for &interface in interfaces {
            left.extend(made::leave(&self.host.state_dir, interface)?.map(Step::Network));
        }
        Ok(undo::run(&self.backend, left, deadline))
    }

    /// Puts off what failed because the other side was not there; anything else is an error.
    pub(super) fn settle(&self, interfaces: &[Uuid], failed: Vec<Failed>) -> Result<Detached> {
        let deferred = failed.len();
        let (later, hopeless): (Vec<Failed>, Vec<Failed>) =
            failed.into_iter().partition(|f| may_work_later(&f.error));
        for &interface in interfaces {
            let own: Vec<&Failed> = later
                .iter()
                .filter(|f| f.step.belongs_to(interface))
                .collect();
            match own.is_empty() {
                true => pending::forget(&self.host.state_dir, interface)?,
                false => pending::store(&self.host.state_dir, interface, &own)?,
            }
        }
        let mut hopeless = hopeless.into_iter().map(|f| f.error);
        match hopeless.next() {
            None => Ok(Detached { deferred }),
            Some(cause) => {
                let left: Vec<Error> = hopeless.collect();
                Err(match left.is_empty() {
                    true => cause,
                    false => Error::Undo {
                        cause: Box::new(cause),
                        left,
                    },
                })
            }
        }
    }
}

/// Whether trying again later can help without anybody changing the request: the service was down or
/// broken, or the credentials were refused while they are being renewed.
fn may_work_later(error: &Error) -> bool {
    match error.cause() {
        Error::Refused { status, .. } => *status >= 500,
        Error::Unauthorized { .. } => true,
        other => other.is_transient(),
    }
}
