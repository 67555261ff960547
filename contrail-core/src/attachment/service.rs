//! What a container is in a service chain: its interface becomes a member of a service instance when it
//! is attached, and stays one.

use std::time::Duration;

use uuid::Uuid;

use super::call::{Call, Port};
use super::undo::Step;
use super::{Attacher, uses};
use crate::api::objects::VirtualMachineInterface;
use crate::api::{ListQuery, Resource};
use crate::deadline::Deadline;
use crate::error::{Result, report};
use crate::fq_name::FqName;
use crate::lock::AttachmentLock;
use crate::service_chain::{Leg, RolePort, SETTLE, ServiceRole, ServiceRoles, Unbuilt};

/// The part that an interface plays in a service instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Which interface of which service instance it is.
    pub role: ServiceRole,
    /// Whether the container's network namespace forwards packets that come in by this interface, as
    /// a service must that has no program of its own for it.
    pub forwarding: bool,
}

impl Call<'_> {
    /// Makes the interface a member of the service instance.
    pub(super) fn serve(&self, port: &Port, service: &Service) -> Result<()> {
        let interface = port.id;
        uses::serve(&self.host.state_dir, interface, &service.role, self.vm)?;
        self.note(Step::Service { interface });
        let roles = ServiceRoles::new(self.client(), &self.host.owner);
        let join = |role: &ServiceRole, interface| {
            let port = RolePort {
                interface,
                machine: self.vm,
                label: port.wanted.display_name.clone(),
            };
            roles.join(role, &port)
        };
        join(&service.role, interface)?;
        for (role, leg, _lock) in self.left_behind(&service.role.instance)? {
            log::info!("VM interface {leg} joins again: its other leg is back");
            join(&role, leg)?;
        }
        if self.has_returned() {
            let built = see_built(&roles, &service.role, self.vm, self.deadline);
            // It is a member: that the chain does not stand is no reason to refuse the container.
            built.unwrap_or_else(|error| log::warn!("{}", report(&error)));
        }
        Ok(())
    }

    /// The container's other interfaces that left the service instance when one of them went, each with
    /// its role. What somebody works on joins or leaves by itself.
    fn left_behind(&self, instance: &FqName) -> Result<Vec<(ServiceRole, Uuid, AttachmentLock)>> {
        let query = ListQuery::referring_to(self.vm).fields(&["port_tuple_refs"]);
        let all: Vec<VirtualMachineInterface> = self.client().list(&query)?;
        let idle = all.iter().filter(|port| port.port_tuple_refs.is_empty());
        let mut left = Vec::new();
        for leg in idle.filter_map(Resource::uuid) {
            let served = uses::served(&self.host.state_dir, leg)?.into_iter();
            let mut served =
                served.filter(|(role, vm)| role.instance == *instance && *vm == self.vm);
            let Some((role, _)) = served.next() else {
                continue;
            };
            if let Some(lock) = AttachmentLock::at_once(&self.host.run_dir, leg)? {
                left.push((role, leg, lock));
            }
        }
        Ok(left)
    }
}

/// Sees to it that the controller builds the chains through a service again whose member has come back
/// under its old ids, which it may fail to do: see [`ServiceRoles::rejoin`].
fn see_built(roles: &ServiceRoles, role: &ServiceRole, vm: Uuid, deadline: Deadline) -> Result<()> {
    let unbuilt = || roles.unbuilt(&role.instance, deadline.at_most(SETTLE));
    let lost = unbuilt()?;
    if lost.is_empty() {
        return Ok(());
    }
    warn_of(&lost, "its member joins it again");
    roles.rejoin(role, vm, deadline)?;
    let lost = unbuilt()?;
    warn_of(&lost, "apply its chain again");
    Ok(())
}

/// Says what the controller has not built, and what is or can be done about it.
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
    /// Looks whether endpoints that have taken a role in one service instance, each with its virtual machine,
    /// still are members of it, and whether the controller has built the chains through it. A lost
    /// membership is given back, also one that the service instance lost when it was deleted, unless the
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
        // Whoever comes to take one of them away waits for its lock, and must have time left.
        let deadline = deadline.at_most(self.host.detach_timeout / 2);
        let roles = ServiceRoles::new(self.client(deadline), &self.host.owner);
        let mut joined_again = 0;
        let has = |machine, leg| {
            let mut own = members.iter().filter(|(port, _)| port.machine == machine);
            own.any(|(_, role)| role.interface == leg)
        };
        let is_whole = |machine| has(machine, Leg::Left) && has(machine, Leg::Right);
        let children = roles.children_of(instance)?;
        for (port, role) in members.iter().filter(|(port, _)| is_whole(port.machine)) {
            // Whoever works on it makes it join or leave.
            let lock = AttachmentLock::at_once(&self.host.run_dir, port.interface)?;
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
        let roles = ServiceRoles::new(self.client(deadline), &self.host.owner);
        roles.rejoin(role, vm, deadline).map(drop)
    }
}
