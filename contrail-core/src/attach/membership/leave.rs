//! The end of an interface's membership in service instances, in the order that keeps their chains.

use std::collections::BTreeSet;
use std::path::Path;

use uuid::Uuid;

use crate::api::Client;
use crate::attach::attacher::Host;
use crate::attach::error::Result;
use crate::attach::records::dissolving;
use crate::attach::records::returns;
use crate::attach::records::services;
use crate::error::report;
use crate::service_chain::ServiceRoles;

/// Takes the interface out of its service instances before it goes, in the order that keeps the chains of
/// the other members: see [`ServiceRoles::dissolve`]. Members that a chain's description named are known
/// to the controller alone, so it is asked; one request if the interface is not a member.
pub(crate) fn leave(client: &Client, host: &Host, interface: Uuid) -> Result<bool> {
    let roles = ServiceRoles::new(client.clone(), &host.maker.program);
    let mut tuples = roles.tuples_of(interface)?;
    tell(services::note_tuples(&host.state_dir, interface, &tuples));
    tuples.extend(services::noted_tuples(&host.state_dir, interface)?);
    tuples.extend(dissolving::tuples_before(&host.state_dir, interface)?);
    leave_known(&roles, host, interface, tuples)
}

/// Takes an interface that stays for a while out of the service instances in which it took a role when it
/// was attached. No request is made if it took none.
pub(crate) fn retire(client: &Client, host: &Host, interface: Uuid) -> Result<bool> {
    let roles = ServiceRoles::new(client.clone(), &host.maker.program);
    leave_known(
        &roles,
        host,
        interface,
        services::noted_tuples(&host.state_dir, interface)?,
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
    let served = services::served(state_dir, interface)?;
    let is_noted = !served.is_empty() || !tuples.is_empty();
    let mut was_member = false;
    for (role, machine) in &served {
        was_member |= roles.leave(role, interface, *machine)?;
    }
    for tuple in BTreeSet::from_iter(tuples) {
        let note = |ports: &[Uuid]| tell(dissolving::note(state_dir, tuple, ports));
        let noted = dissolving::ports_of(state_dir, tuple)?;
        if let Some(dissolved) = roles.dissolve_noted(tuple, interface, &noted, note)? {
            was_member = true;
            if let Some(instance) = dissolved.instance.filter(|_| dissolved.is_of_attachment) {
                roles.sweep(&instance)?;
            }
        }
        tell(dissolving::forget(state_dir, tuple));
    }
    if is_noted {
        tell(services::retire(state_dir, interface));
    }
    Ok(was_member)
}

/// The interface is deleted: if it was a member of a service, it may not be created again at once.
pub(crate) fn end(host: &Host, interface: Uuid) -> Result<()> {
    if !services::has_left(&host.state_dir, interface)? {
        return Ok(());
    }
    // The note goes last: whatever stops this call between the two, the next one locks the id.
    returns::lock(&host.run_dir, interface)?;
    tell(services::end(&host.state_dir, interface));
    Ok(())
}

/// A note that cannot be written is no reason to stay in a service: only a crash at the same time loses
/// something by it.
fn tell(noted: crate::Result<()>) {
    noted.unwrap_or_else(|error| log::warn!("{}", report(&error)));
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::http::{Method, Response};
    use crate::testing::{self, FakeTransport, client_of};
    use crate::values::Deadline;

    /// A port that is no longer in a port tuple, and a port tuple of a chain with these ports.
    fn object(url: &str, ports: &[Uuid]) -> Value {
        let named = |id: &Uuid| json!({"to": ["d", "p", id.to_string()], "uuid": id});
        let ports: Vec<Value> = ports.iter().map(named).collect();
        let owner = json!({"key": "container-plugin.owner", "value": "service-chain"});
        match url.contains("/port-tuple/") {
            true => json!({"port-tuple": {"fq_name": ["d", "p", "fw", "t"], "uuid": TUPLE,
                "annotations": {"key_value_pair": [owner]},
                "virtual_machine_interface_back_refs": ports}}),
            false => json!({"virtual-machine-interface": {"fq_name": ["d", "p", "i"]}}),
        }
    }

    const TUPLE: Uuid = Uuid::from_u128(9);

    #[test]
    fn a_port_that_another_one_took_out_of_a_tuple_does_not_go_before_the_tuple() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host {
            state_dir: dir.path().to_owned(),
            ..testing::host()
        };
        let [own, other] = [1, 2].map(Uuid::from_u128);
        services::note_tuples(dir.path(), own, &[TUPLE]).unwrap();
        let killed = FakeTransport::new(move |request| match request.method {
            Method::GET => {
                let found = object(&request.url, &[own, other]);
                Ok(Response::new(200, found.to_string()))
            }
            Method::DELETE => Err(testing::lost()),
            _ => Ok(Response::new(200, "{}")),
        });
        leave(&client_of(killed), &host, own).unwrap_err();

        let transport = FakeTransport::new(move |request| match request.method {
            Method::GET => Ok(Response::new(200, object(&request.url, &[]).to_string())),
            _ => Ok(Response::new(200, "{}")),
        });
        assert!(leave(&client_of(transport.clone()), &host, other).unwrap());
        let requests = transport.requests();
        let deleted = requests.iter().filter(|r| r.method == Method::DELETE);
        let deleted: Vec<&str> = deleted.map(|request| request.url.as_str()).collect();
        assert_eq!(deleted, [format!("http://api:8082/port-tuple/{TUPLE}")]);
        assert!(
            dissolving::tuples_before(dir.path(), other)
                .unwrap()
                .is_empty()
        );
        assert!(services::has_left(dir.path(), other).unwrap());
    }

    #[test]
    fn a_member_that_is_deleted_stays_noted_until_its_id_is_locked() {
        let dir = tempfile::tempdir().unwrap();
        let (run_dir, id) = (dir.path().join("run"), Uuid::from_u128(1));
        let host = Host {
            state_dir: dir.path().join("state"),
            run_dir: run_dir.clone(),
            ..testing::host()
        };
        services::retire(&host.state_dir, id).unwrap();
        fs::write(&run_dir, "in the way").unwrap();
        end(&host, id).unwrap_err();
        fs::remove_file(&run_dir).unwrap();
        end(&host, id).unwrap();
        returns::wait(&run_dir, id, Deadline::after(Duration::ZERO)).unwrap_err();
        assert!(!services::has_left(&host.state_dir, id).unwrap());
    }
}
