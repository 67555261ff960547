//! What a container is in a service chain: its interface becomes a member of a service instance when it
//! is attached, and is taken out again before it is removed.

use std::collections::BTreeSet;
use std::path::Path;

use uuid::Uuid;

use super::call::{Call, Port};
use super::undo::Step;
use super::{Host, returns, uses};
use crate::api::objects::VirtualMachineInterface;
use crate::api::{Client, ListQuery, Resource};
use crate::error::Result;
use crate::fq_name::FqName;
use crate::lock::AttachmentLock;
use crate::service_chain::{RolePort, ServiceRole, ServiceRoles};

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

/// Takes the interface out of its service instances before it goes, in the order that keeps the chains of
/// the other members: see [`ServiceRoles::dissolve`]. Members that a chain's description named are known
/// to the controller alone, so it is asked; one request if the interface is no member.
pub(super) fn leave(client: &Client, host: &Host, interface: Uuid) -> Result<bool> {
    let roles = ServiceRoles::new(client.clone(), &host.owner);
    let mut tuples = roles.tuples_of(interface)?;
    uses::leave(&host.state_dir, interface, &tuples)?;
    tuples.extend(uses::left(&host.state_dir, interface)?);
    leave_known(&roles, host, interface, tuples)
}

/// The same for an interface that stays for a while: only a role that it took when it was attached ends,
/// and nobody is asked if it has none.
pub(super) fn retire(client: &Client, host: &Host, interface: Uuid) -> Result<bool> {
    let roles = ServiceRoles::new(client.clone(), &host.owner);
    leave_known(
        &roles,
        host,
        interface,
        uses::left(&host.state_dir, interface)?,
    )
}

/// Leaves the tuples, and those of the roles that are noted.
fn leave_known(
    roles: &ServiceRoles,
    host: &Host,
    interface: Uuid,
    tuples: Vec<Uuid>,
) -> Result<bool> {
    let state_dir: &Path = &host.state_dir;
    let served = uses::served(state_dir, interface)?;
    let is_noted = !served.is_empty() || !tuples.is_empty();
    let mut was_member = false;
    for (role, machine) in &served {
        was_member |= roles.leave(role, interface, *machine)?;
    }
    for tuple in BTreeSet::from_iter(tuples) {
        if let Some(dissolved) = roles.dissolve(tuple, interface)? {
            was_member = true;
            if dissolved.is_of_attachment {
                roles.sweep(&dissolved.instance)?;
            }
        }
    }
    if was_member {
        returns::lock(&host.run_dir, interface)?;
    }
    if is_noted {
        uses::retire(state_dir, interface)?;
    }
    Ok(was_member)
}
