//! Looking after a member of a service from its own host: whether the controller has built the chains through
//! the service, and letting the member join again when it has not.

use std::collections::BTreeSet;
use std::thread;

use uuid::Uuid;

use super::join::ServiceRoles;
use super::role::{RolePort, ServiceRole};
use super::tuple::{self, PORTS};
use crate::api::objects::{PortTuple, VirtualMachineInterface};
use crate::api::{ListQuery, Resource};
use crate::error::Error as ClientError;
use crate::service_chain::apply;
use crate::service_chain::built::{ChainState, LegState, Progress};
use crate::service_chain::change::Change;
use crate::service_chain::error::Result;
use crate::service_chain::identified::Identified;
use crate::service_chain::wait::{PAUSE, POLL};
use crate::values::Deadline;
use crate::values::FqName;

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

    /// Lets a port rejoin its service if it is in no port tuple, or in one that is not among the
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
    /// controller needs to notice. That restores a chain that the controller lost when ports
    /// left in a bad order and returned under their ids. Returns whether it has a port tuple.
    ///
    /// # Errors
    /// [`Error::Timeout`](ClientError::Timeout), with nothing done, if the deadline is too near for both; when the API refuses or
    /// cannot be asked. What was done is then rolled back; [`Error::Undo`](crate::service_chain::Error::Undo) names what could not be.
    pub fn rejoin(&self, role: &ServiceRole, machine: Uuid, deadline: Deadline) -> Result<bool> {
        let (id, _) = role.tuple(machine);
        let Some(tuple) = self.client.get_opt_with::<PortTuple>(id, &[PORTS])? else {
            return Ok(false);
        };
        let tuple = Identified::read(id, tuple);
        // A member that has left and finds no time to join again is out of service.
        let left = deadline.remaining();
        if left < PAUSE * 2 {
            return Err(ClientError::Timeout {
                operation: format!(
                    "waiting until the controller has noticed that virtual machine {machine} left"
                ),
                seconds: left.as_secs_f32(),
            }
            .into());
        }
        let ports = tuple::ports(&tuple);
        let leaves: Vec<Change> = ports.map(|port| tuple::leave(port, &tuple)).collect();
        let joins = leaves.iter().map(Change::inverse).collect();
        apply::run_in_stages(&self.client, &[leaves, joins], || thread::sleep(PAUSE))?;
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
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::error::Layered;
    use crate::http::{Method, Request, Response};
    use crate::service_chain::{Lack, Leg, Mode};
    use crate::testing::{FakeTransport, client_of};

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

    fn role() -> ServiceRole {
        ServiceRole {
            instance: FqName::new(["d", "p", "fw"]),
            interface: Leg::Left,
            mode: Mode::InNetwork,
        }
    }

    /// The operation of a request that changes a reference, with its port.
    fn change(request: &Request) -> Option<(String, Uuid)> {
        let body: Value = serde_json::from_slice(request.body.as_deref()?).ok()?;
        let port = body["uuid"].as_str()?.parse().ok()?;
        Some((body["operation"].as_str()?.to_owned(), port))
    }

    #[test]
    fn a_port_that_has_left_joins_again_when_another_one_cannot_leave() {
        let [first, second] = [1, 2].map(Uuid::from_u128);
        let port = |id: Uuid| json!({"to": ["d", "p", id.to_string()], "uuid": id});
        let tuple = json!({"port-tuple": {"fq_name": ["d", "p", "fw", "t"], "uuid": first,
            "virtual_machine_interface_back_refs": [port(first), port(second)]}});
        let transport = FakeTransport::new(move |request| {
            let refused = Some(("DELETE".to_owned(), second));
            Ok(match (&request.method, change(request)) {
                (&Method::GET, _) => Response::new(200, tuple.to_string()),
                (_, change) if change == refused => Response::new(400, "no"),
                _ => Response::new(200, "{}"),
            })
        });
        let roles = ServiceRoles::new(client_of(transport.clone()), "cni");
        let soon = Deadline::after(PAUSE);
        let error = roles.rejoin(&role(), first, soon).unwrap_err();
        let cause = error.client_cause();
        assert!(
            matches!(cause, Some(ClientError::Timeout { .. })),
            "{error}"
        );
        assert_eq!(transport.requests().iter().filter_map(change).count(), 0);

        let end = Deadline::after(Duration::from_secs(60));
        roles.rejoin(&role(), first, end).unwrap_err();
        let changes: Vec<(String, Uuid)> = transport.requests().iter().filter_map(change).collect();
        let expected = [("DELETE", first), ("DELETE", second), ("ADD", first)];
        assert_eq!(changes, expected.map(|(what, id)| (what.to_owned(), id)));
    }
}
