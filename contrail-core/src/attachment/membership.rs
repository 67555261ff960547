//! The end of an interface's membership in service instances, in the order that keeps their chains.

use std::collections::BTreeSet;
use std::path::Path;

use uuid::Uuid;

use super::{Host, returns, uses};
use crate::api::Client;
use crate::error::Result;
use crate::service_chain::ServiceRoles;

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
