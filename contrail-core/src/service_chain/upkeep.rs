//! Looking after a member of a service from its own host: whether the controller has built the chains through
//! the service, and letting the member join again when it has not.

use std::collections::BTreeSet;
use std::thread;

use uuid::Uuid;

use super::built::{ChainState, LegState, Progress};
use super::change::{Change, Target};
use super::role::{RolePort, ServiceRole, ServiceRoles};
use super::wait::{PAUSE, POLL};
use crate::api::objects::{PortTuple, VirtualMachineInterface};
use crate::api::{ListQuery, Resource};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::fq_name::FqName;

/// Legs of a service that the controller should have built and has not.
pub type Unbuilt = Vec<LegState>;

impl ServiceRoles {
    /// The legs of a service instance that the controller has not built although it has all that it needs
    /// for that, by the deadline: it takes a second or two after a member has joined. Chains that wait
    /// for something else, such as members of another service, do not count, nor does what cannot be
    /// read with these rights.
    ///
    /// One request if no network policy names the service, see [`ServiceRoles::built`].
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn unbuilt(&self, instance: &FqName, deadline: Deadline) -> Result<Unbuilt> {
        loop {
            let unbuilt = unbuilt_of(self.built(instance)?, instance);
            if unbuilt.is_empty() || deadline.has_passed() {
                return Ok(unbuilt);
            }
            thread::sleep(POLL.min(deadline.remaining()));
        }
    }

    /// The port tuples that are children of a service instance. One request.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn children_of(&self, instance: &FqName) -> Result<BTreeSet<Uuid>> {
        let query = ListQuery::children_of("service-instance", instance.clone());
        let tuples: Vec<PortTuple> = self.client.list(&query)?;
        Ok(tuples.iter().filter_map(Resource::uuid).collect())
    }

    /// Lets a port join its service again that is in no port tuple, or in one that is not among the
    /// `children` of the service instance, because that was deleted under it. Returns whether it had to.
    /// One request if not.
    ///
    /// # Errors
    /// As [`ServiceRoles::join`].
    pub fn keep(
        &self,
        role: &ServiceRole,
        port: &RolePort,
        children: &BTreeSet<Uuid>,
    ) -> Result<bool> {
        let fields = ["port_tuple_refs"];
        let found: Option<VirtualMachineInterface> =
            self.client.get_opt_with(port.interface, &fields)?;
        let is_member = match found.filter(|found| !found.port_tuple_refs.is_empty()) {
            Some(found) => self
                .own_orphans(&found, &role.instance, children)?
                .is_empty(),
            None => false,
        };
        if !is_member {
            self.join(role, port)?;
        }
        Ok(!is_member)
    }

    /// Lets all ports of a virtual machine leave the service and join it again, after the time that the
    /// controller needs to notice. That is how a chain comes back that the controller lost when ports
    /// left in a bad order and returned under their ids. Returns whether it has a port tuple.
    ///
    /// # Errors
    /// When the API refuses or cannot be asked; ports that could not join again are then without service.
    pub fn rejoin(&self, role: &ServiceRole, machine: Uuid) -> Result<bool> {
        let fields = ["virtual_machine_interface_back_refs"];
        let (tuple, _) = role.tuple(machine);
        let Some(tuple) = self.client.get_opt_with::<PortTuple>(tuple, &fields)? else {
            return Ok(false);
        };
        let ports = tuple.virtual_machine_interface_back_refs.iter();
        let leaves = ports.filter_map(Target::referred::<VirtualMachineInterface>);
        let leaves: Vec<Change> = leaves
            .map(|port| Change::Leave {
                port,
                tuple: Target::of(&tuple),
            })
            .collect();
        let run = |change: &Change| {
            log::info!("{change}");
            change.run(&self.client).map(drop)
        };
        leaves.iter().try_for_each(run)?;
        thread::sleep(PAUSE);
        leaves
            .iter()
            .map(Change::inverse)
            .try_for_each(|join| run(&join))?;
        Ok(true)
    }
}

fn unbuilt_of(chains: Vec<ChainState>, instance: &FqName) -> Unbuilt {
    let lost = chains.into_iter();
    let lost = lost.filter(|chain| chain.progress() == Progress::Unbuilt);
    let legs = lost.flat_map(|chain| chain.legs);
    legs.filter(|leg| leg.service == *instance && !leg.lacks.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service_chain::{Lack, Leg};

    fn chain(service: &str, lacks: Vec<Lack>) -> ChainState {
        ChainState {
            policy: FqName::new(["d", "p", "policy"]),
            legs: vec![LegState {
                service: FqName::new(["d", "p", service]),
                side: Leg::Left,
                network: FqName::new(["d", "p", "n"]),
                lacks,
            }],
        }
    }

    #[test]
    fn only_legs_of_the_service_that_the_controller_owes_count() {
        let own = FqName::new(["d", "p", "fw"]);
        let lost = || vec![Lack::RoutingInstance(None)];
        for (chain, count) in [
            (chain("fw", lost()), 1),
            (chain("other", lost()), 0),
            (chain("fw", vec![]), 0),
            (
                chain("fw", vec![Lack::Member, Lack::RoutingInstance(None)]),
                0,
            ),
            (chain("fw", vec![Lack::Visibility]), 0),
        ] {
            assert_eq!(
                unbuilt_of(vec![chain.clone()], &own).len(),
                count,
                "{chain:?}"
            );
        }
    }
}
