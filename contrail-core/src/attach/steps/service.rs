//! Joining a service instance: the last step of attaching an interface that has a role in a service.

use uuid::Uuid;

use crate::api::objects::VirtualMachineInterface;
use crate::api::{ListQuery, Resource};
use crate::attach::error::Result;
use crate::attach::membership::warn_of;
use crate::attach::port::Port;
use crate::attach::records::services;
use crate::attach::removal::Step;
use crate::attach::spec::Service;
use crate::attach::transaction::Transaction;
use crate::error::report;
use crate::service_chain::{RolePort, SETTLE, ServiceRole, ServiceRoles};
use crate::state::lock::InterfaceLock;
use crate::values::Deadline;
use crate::values::FqName;

impl Transaction<'_> {
    /// Makes the interface a member of the service instance.
    pub(crate) fn serve(&self, port: &Port, vm: Uuid, service: &Service) -> Result<()> {
        let interface = port.id;
        services::serve(&self.host.state_dir, interface, &service.role, vm)?;
        self.note(Step::Service { interface });
        let roles = ServiceRoles::new(self.client(), &self.host.maker.program);
        let join = |role: &ServiceRole, interface| {
            let port = RolePort {
                interface,
                machine: vm,
                label: port.wanted.display_name.clone(),
            };
            roles.join(role, &port)
        };
        join(&service.role, interface)?;
        for (role, leg, _lock) in self.left_behind(vm, &service.role.instance)? {
            log::info!("VM interface {leg} joins its service again: its other leg is back");
            join(&role, leg)?;
        }
        if self.has_returned() {
            let built = see_built(&roles, &service.role, vm, self.deadline);
            // It is a member: a chain that is not built is no reason to refuse the container.
            built.unwrap_or_else(|error| log::warn!("{}", report(&error)));
        }
        Ok(())
    }

    /// The container's other interfaces that left the service instance when one of them went, each with
    /// its role. An interface that another call works on joins or leaves on its own.
    fn left_behind(
        &self,
        vm: Uuid,
        instance: &FqName,
    ) -> Result<Vec<(ServiceRole, Uuid, InterfaceLock)>> {
        let query = ListQuery::referring_to(vm).fields(&["port_tuple_refs"]);
        let all: Vec<VirtualMachineInterface> = self.client().list(&query)?;
        let idle = all.iter().filter(|port| port.port_tuple_refs.is_empty());
        let mut left = Vec::new();
        for leg in idle.filter_map(Resource::uuid) {
            let served = services::served(&self.host.state_dir, leg)?.into_iter();
            let mut served =
                served.filter(|(role, machine)| role.instance == *instance && *machine == vm);
            let Some((role, _)) = served.next() else {
                continue;
            };
            if let Some(lock) = InterfaceLock::try_acquire(&self.host.run_dir, leg)? {
                left.push((role, leg, lock));
            }
        }
        Ok(left)
    }
}

/// Makes the controller rebuild the chains through a service whose member has come back
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
