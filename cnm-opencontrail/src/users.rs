//! Who uses a virtual network that this project made: an annotation for each Docker network and each
//! address pool on each host. The last one to go takes the network along.

use contrail_core::api::{Resource, VirtualNetwork};
use contrail_core::attach::Attacher;
use contrail_core::attach::Result;
use contrail_core::error::report;
use contrail_core::ownership::{UserKind, is_by_plugin, users};
use contrail_core::{Deadline, Error};
use uuid::Uuid;

/// The kind of users that this program registers: Docker networks and address pools.
const DOCKER: UserKind = UserKind("docker-network");

/// The value of an annotation of which only the name counts.
pub(crate) const USES: &str = "uses it";

/// What stands before the name of an address pool among the users.
const POOL: &str = ".pool.";

/// The name of an address pool's annotation.
pub(crate) fn pool_mark(node: &str, pool: &str) -> String {
    DOCKER.annotation(&format!("{node}{POOL}{pool}"))
}

/// The name of a user's annotation.
pub(crate) fn mark(node: &str, user: &str) -> String {
    DOCKER.annotation(&format!("{node}.{user}"))
}

/// Whether it was this project's IPAM driver that made a network, and nobody but address pools uses it
/// yet: the first Docker network may say what it is to look like.
pub(crate) fn is_only_a_pool(network: &VirtualNetwork) -> bool {
    let mut users = users(&network.meta).peekable();
    is_by_plugin(&network.meta)
        && users.peek().is_some()
        && users.all(|user| user.kind == DOCKER.0 && user.name.contains(POOL))
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
        Err(error @ Error::Refused { .. }) if !is_by_plugin(&network.meta) => {
            let name = &network.meta.fq_name;
            log::warn!(
                "virtual network {name} gets no mark of its use: {}",
                report(&error)
            );
            Ok(())
        }
        other => Ok(other?),
    }
}

/// Notes that somebody has left a network, and removes it if nobody is left. One that is gone, or that
/// this project has not made, is left as it is.
///
/// # Errors
/// When the API cannot be asked, and when it may be ports of this host that are still to be removed that
/// keep the network.
pub(crate) fn leave(attacher: &Attacher, id: Uuid, mark: &str, end: Deadline) -> Result<()> {
    let client = attacher.client(end);
    let unmarked = client.annotate::<VirtualNetwork>(id, mark, None);
    if matches!(&unmarked, Err(error) if error.is_not_found()) {
        return Ok(());
    }
    let Some(network) = client.get_opt::<VirtualNetwork>(id)? else {
        return Ok(());
    };
    if is_by_plugin(&network.meta) {
        unmarked?;
    }
    let name = &network.meta.fq_name;
    let users = users(&network.meta).count();
    if users > 0 || !is_by_plugin(&network.meta) {
        log::info!("virtual network {name} stays: {users} others use it");
        return Ok(());
    }
    if remove(attacher, id, end)? {
        log::info!("removed virtual network {name}");
        return Ok(());
    }
    let waiting = attacher.pending_removals()?.len();
    if waiting > 0 {
        return Err(Error::InUse {
            kind: VirtualNetwork::TYPE,
            uuid: id,
            by: vec![format!("some of {waiting} ports whose removal waits")],
        }
        .into());
    }
    log::warn!("virtual network {name} stays: it has ports or policies of others");
    Ok(())
}

/// Removes a network that nobody uses; what uses it may be what this host could not remove before.
fn remove(attacher: &Attacher, id: Uuid, end: Deadline) -> Result<bool> {
    Ok(attacher.delete_network_unless_used(id, end)?
        || attacher.work_off_pending(end) > 0 && attacher.delete_network_unless_used(id, end)?)
}
