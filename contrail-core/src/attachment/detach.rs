//! Detach: everything that an attachment made goes away, found by computed id.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::types::Detachment;
use super::undo::{self, Failed, Step};
use super::{Attacher, nodes, orphans, pending, returns};
use crate::deadline::Deadline;
use crate::error::{self, Error, Result};
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
    /// when it has no other interface. What is not there is fine, so this may be repeated and may be
    /// called for containers that never were.
    ///
    /// One interface takes four requests to the API, of which one asks whether it is a member of a
    /// service, and one to the agent. A member takes more: the other ports of the container leave the
    /// service with it, see [`ServiceRoles::dissolve`](crate::service_chain::ServiceRoles::dissolve).
    ///
    /// # Errors
    /// What a repetition could not mend either: an object in use by somebody else, or the state
    /// directory not writable while something had to be put off.
    pub fn detach(&self, interfaces: &[Detachment]) -> Result<Detached> {
        let deadline = Deadline::after(self.host.detach_timeout);
        returns::sweep(&self.host.run_dir);
        let machines = self.machines(interfaces)?;
        let ids: Vec<Uuid> = machines.iter().map(|(id, _)| *id).collect();
        let _locks = self.lock(&ids, deadline)?;
        let mut steps: Vec<Step> = ids
            .iter()
            .flat_map(|&id| Step::of_interface(id, &[Family::V4]))
            .collect();
        let machines: BTreeSet<Uuid> = machines.into_iter().map(|(_, vm)| vm).collect();
        steps.extend(machines.into_iter().map(Step::Machine));
        let failed = undo::run(&self.backend, &self.host, steps.clone(), deadline);
        self.settle(&ids, &steps, failed)
    }

    /// The ids of the interfaces, each with that of its virtual machine, under every name that this
    /// host has had.
    fn machines(&self, interfaces: &[Detachment]) -> Result<Vec<(Uuid, Uuid)>> {
        let nodes = nodes::known(&self.host.state_dir, &self.host.node)?;
        let ids = nodes.iter().flat_map(|node| {
            interfaces.iter().map(|wanted| {
                let container = &wanted.container;
                (
                    identity::interface(node, container, &wanted.ifname),
                    identity::virtual_machine(node, container),
                )
            })
        });
        Ok(ids.collect())
    }

    /// Puts off what failed. That is a success when trying again can help without anybody changing
    /// anything, and for a network: that one stays is no reason to keep a container.
    pub(super) fn settle(
        &self,
        interfaces: &[Uuid],
        steps: &[Step],
        failed: Vec<Failed>,
    ) -> Result<Detached> {
        for &interface in interfaces {
            pending::settle(&self.host.state_dir, interface, steps, &failed)?;
            // From here on the queue has it, or nobody.
            orphans::forget(&self.host.state_dir, interface)?;
        }
        let deferred = failed.len();
        let is_hopeless = |failed: &Failed| {
            !may_work_later(&failed.error) && !matches!(failed.step, Step::Networks { .. })
        };
        let (hopeless, later): (Vec<Failed>, Vec<Failed>) =
            failed.into_iter().partition(is_hopeless);
        for failed in later {
            log::warn!(
                "{} is put off: {}",
                failed.step,
                error::report(&failed.error)
            );
        }
        let mut errors: Vec<Error> = hopeless.into_iter().map(|failed| failed.error).collect();
        match (errors.pop(), errors.is_empty()) {
            (None, _) => Ok(Detached { deferred }),
            (Some(only), true) => Err(only),
            (Some(last), false) => {
                errors.push(last);
                Err(Error::Left(errors))
            }
        }
    }
}

/// Whether trying again later can help without anybody changing the request: the service was down or
/// broken, or the credentials were refused while they are being renewed. An agent has no reason to keep a
/// port, whatever it says.
fn may_work_later(error: &Error) -> bool {
    // Whatever Keystone says is no matter of the object.
    if matches!(error, Error::NoToken { .. }) {
        return true;
    }
    match error.cause() {
        Error::Refused { status, .. } => *status >= 500,
        Error::Unauthorized { .. } | Error::Agent { .. } => true,
        other => other.is_transient(),
    }
}
