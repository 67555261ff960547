//! Upkeep of memberships: interfaces of running containers that have lost theirs join again, and legs that the
//! controller has lost are warned of.

use std::time::Duration;

use uuid::Uuid;

use crate::attach::attacher::Attacher;
use crate::attach::error::Result;
use crate::service_chain::{Leg, RolePort, ServiceRole, ServiceRoles, Unbuilt};
use crate::state::lock::InterfaceLock;
use crate::values::Deadline;
use crate::values::FqName;

/// Logs a warning for each leg that the controller has lost. `remedy` follows the leg in the message: what
/// is done about it, or what its user can do.
pub fn warn_of(unbuilt: &Unbuilt, remedy: &str) {
    for leg in unbuilt {
        log::warn!("the controller has lost a service chain: {leg}: {remedy}");
    }
}

/// What looking after the members of a service has led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptService {
    /// How many of them had lost their membership and have joined again.
    pub joined_again: usize,
    /// The legs that the controller owes.
    pub unbuilt: Unbuilt,
}

impl Attacher {
    /// Checks whether endpoints that have taken a role in one service instance, each with its virtual machine,
    /// are still members of it, and whether the controller has built the chains through it. A lost
    /// membership is restored, also one that the service instance lost when it was deleted, unless the
    /// container has lost its other leg: that one takes it along when it comes back. One request for each,
    /// one for the service instance, and those of [`ServiceRoles::built`].
    ///
    /// # Errors
    /// When the API refuses or cannot be asked.
    pub fn keep_service(
        &self,
        instance: &FqName,
        members: &[(RolePort, ServiceRole)],
        deadline: Deadline,
    ) -> Result<KeptService> {
        // A call that removes one of them waits for its lock, and must have time left.
        let deadline = deadline.at_most(self.host.detach_timeout / 2);
        let roles = ServiceRoles::new(self.client(deadline), &self.host.maker.program);
        let mut joined_again = 0;
        let has = |machine, leg| {
            let mut own = members.iter().filter(|(port, _)| port.machine == machine);
            own.any(|(_, role)| role.interface == leg)
        };
        let is_whole = |machine| has(machine, Leg::Left) && has(machine, Leg::Right);
        let children = roles.children_of(instance)?;
        for (port, role) in members.iter().filter(|(port, _)| is_whole(port.machine)) {
            // The call that holds the lock makes it join or leave.
            let lock = InterfaceLock::try_acquire(&self.host.run_dir, port.interface)?;
            if lock.is_some() && roles.keep(role, port, &children)? {
                joined_again += 1;
            }
        }
        let unbuilt = roles.unbuilt(instance, Deadline::after(Duration::ZERO))?;
        Ok(KeptService {
            joined_again,
            unbuilt,
        })
    }

    /// Lets members of this host join their service again: see [`ServiceRoles::rejoin`].
    ///
    /// # Errors
    /// When the API refuses or cannot be asked.
    pub fn rejoin_service(&self, role: &ServiceRole, vm: Uuid, deadline: Deadline) -> Result<()> {
        let roles = ServiceRoles::new(self.client(deadline), &self.host.maker.program);
        roles.rejoin(role, vm, deadline)?;
        Ok(())
    }
}
