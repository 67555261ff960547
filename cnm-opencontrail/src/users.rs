//! Who uses a virtual network that this project made: an annotation for each Docker network and each
//! address pool on each host. The last one to go takes the network along.

use contrail_core::api::VirtualNetwork;
use contrail_core::attachment::{Attacher, DOCKER_USER, docker_users, is_owned};
use contrail_core::error::report;
use contrail_core::{Deadline, Error, Result};
use uuid::Uuid;

/// The value of an annotation of which only the name counts.
pub(crate) const USES: &str = "uses it";

/// The name of a user's annotation.
pub(crate) fn mark(node: &str, user: &str) -> String {
    format!("{DOCKER_USER}{node}.{user}")
}

/// Notes that somebody uses a network, with what they need to know of it again. It keeps a network
/// that this project made; on any other, which may be closed to us, it is no more than a help.
///
/// # Errors
/// When the API cannot be asked, or refuses for a network that this project made.
pub(crate) fn join(
    attacher: &Attacher,
    network: &VirtualNetwork,
    mark: &str,
    value: &str,
    end: Deadline,
) -> Result<()> {
    let Some(id) = network.meta.uuid else {
        return Ok(());
    };
    if network.meta.annotations.get(mark) == Some(value) {
        return Ok(());
    }
    let client = attacher.client(end);
    match client.annotate::<VirtualNetwork>(id, mark, Some(value)) {
        Err(error @ Error::Refused { .. }) if !is_owned(network) => {
            let name = &network.meta.fq_name;
            log::warn!(
                "virtual network {name} gets no mark of its use: {}",
                report(&error)
            );
            Ok(())
        }
        other => other,
    }
}

/// Notes that somebody has left a network, and removes it if nobody is left. One that is gone, or that
/// this project has not made, is left as it is.
///
/// # Errors
/// When the API cannot be asked.
pub(crate) fn leave(attacher: &Attacher, id: Uuid, mark: &str, end: Deadline) -> Result<()> {
    let client = attacher.client(end);
    let unmarked = client.annotate::<VirtualNetwork>(id, mark, None);
    if matches!(unmarked, Err(Error::NotFound { .. })) {
        return Ok(());
    }
    let Some(network) = client.get_opt::<VirtualNetwork>(id)? else {
        return Ok(());
    };
    if is_owned(&network) {
        unmarked?;
    }
    let name = &network.meta.fq_name;
    let users = docker_users(&network).count();
    if users > 0 || !is_owned(&network) {
        log::info!("virtual network {name} stays: {users} others use it");
    } else if attacher.delete_network_unless_used(id, end)? {
        log::info!("removed virtual network {name}");
    } else {
        log::warn!("virtual network {name} stays: it has ports or policies of others");
    }
    Ok(())
}
