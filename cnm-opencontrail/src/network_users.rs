//! The users of a virtual network that this program registers: Docker networks and address pools.
//!
//! Each has an annotation on the virtual network, for each host. When its last user leaves, a network that
//! this project made is removed.

use contrail_core::api::{Resource, VirtualNetwork};
use contrail_core::attach::{Attacher, Result};
use contrail_core::error::counted;
use contrail_core::error::report;
use contrail_core::ownership::{NetworkUser, UserKind, is_by_plugin, users};
use contrail_core::{Deadline, Error};
use uuid::Uuid;

/// The kind of both: programs that know no pools count them as users, too.
const DOCKER: UserKind = UserKind("docker-network");

/// The value of a pool's annotation. The value of a Docker network's is JSON, so this one distinguishes them;
/// the name cannot, since a host's name may contain anything that a pool's does.
const POOL: &str = "uses it";

/// A user of a virtual network: the annotation that registers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    /// The annotation's name.
    pub(crate) key: String,
    /// The annotation's value.
    pub(crate) value: String,
}

impl User {
    /// An address pool of a host.
    pub(crate) fn pool(node: &str, pool: Uuid) -> Self {
        Self {
            key: DOCKER.annotation(&format!("{node}.pool.{pool}")),
            value: POOL.to_owned(),
        }
    }

    /// A Docker network of a host, with the note from which it can be recovered.
    pub(crate) fn network(node: &str, network: &str, note: String) -> Self {
        Self {
            key: network_key(node, network),
            value: note,
        }
    }

    /// Registers the user on an object that is going to be created.
    pub(crate) fn add_to(self, network: &mut VirtualNetwork) {
        network.meta.annotations.0.insert(self.key, self.value);
    }
}

/// The name of the annotation of a Docker network of a host.
pub(crate) fn network_key(node: &str, network: &str) -> String {
    DOCKER.annotation(&format!("{node}.{network}"))
}

/// Whether the IPAM driver made a network and only address pools use it: then the first Docker network
/// defines its properties.
pub(crate) fn has_only_pools(network: &VirtualNetwork) -> bool {
    let mut users = users(&network.meta).peekable();
    is_by_plugin(&network.meta) && users.peek().is_some() && users.all(is_pool)
}

fn is_pool(user: NetworkUser<'_>) -> bool {
    user.kind == DOCKER.0 && user.value == POOL
}

/// Registers a user of a network. This keeps a network that this project made; on any other network, which
/// may refuse the change, it only helps to find it again.
///
/// # Errors
/// If the API cannot be reached, or refuses the change to a network that this project made.
pub(crate) fn register(
    attacher: &Attacher,
    network: &VirtualNetwork,
    user: &User,
    end: Deadline,
) -> Result<()> {
    let Some(id) = network.meta.uuid else {
        return Ok(());
    };
    if network.meta.annotations.get(&user.key) == Some(user.value.as_str()) {
        return Ok(());
    }
    let client = attacher.client(end);
    match client.annotate::<VirtualNetwork>(id, &user.key, Some(&user.value)) {
        Err(error @ Error::Refused { .. }) if !is_by_plugin(&network.meta) => {
            let name = &network.meta.fq_name;
            log::warn!(
                "cannot annotate virtual network {name} with its use: {}",
                report(&error)
            );
            Ok(())
        }
        other => Ok(other?),
    }
}

/// Removes the annotations of a user under all names that the host has had, and the network if this project made it and no user remains. Does
/// nothing for a network that no longer exists.
///
/// # Errors
/// If the API cannot be reached, and if ports of this host whose removal is pending may keep the network.
pub(crate) fn unregister(
    attacher: &Attacher,
    id: Uuid,
    user_keys: &[String],
    end: Deadline,
) -> Result<()> {
    let client = attacher.client(end);
    let mut unregistered = Ok(());
    for key in user_keys {
        let done = client.annotate::<VirtualNetwork>(id, key, None);
        if matches!(&done, Err(error) if error.is_not_found()) {
            return Ok(());
        }
        unregistered = unregistered.and(done);
    }
    let Some(network) = client.get_opt::<VirtualNetwork>(id)? else {
        return Ok(());
    };
    if is_by_plugin(&network.meta) {
        unregistered?;
    }
    let name = &network.meta.fq_name;
    if !is_by_plugin(&network.meta) {
        log::info!("kept virtual network {name}: it existed before its Docker network");
        return Ok(());
    }
    let users = users(&network.meta).count();
    if users > 0 {
        log::info!(
            "kept virtual network {name}: it has {}",
            counted(users, "other user")
        );
        return Ok(());
    }
    if remove(attacher, id, end)? {
        log::info!("removed virtual network {name}");
        return Ok(());
    }
    let pending = attacher.pending_removals()?.len();
    if pending > 0 {
        return Err(Error::InUse {
            kind: VirtualNetwork::TYPE,
            uuid: id,
            by: vec![format!("some of {pending} ports whose removal is pending")],
        }
        .into());
    }
    log::warn!("kept virtual network {name}: it has ports or policies of other programs");
    Ok(())
}

/// Removes a network without users. What still refers to it may be a deferred removal of this host.
fn remove(attacher: &Attacher, id: Uuid, end: Deadline) -> Result<bool> {
    Ok(attacher.delete_network_unless_used(id, end)?
        || attacher.work_off_pending(end) > 0 && attacher.delete_network_unless_used(id, end)?)
}

#[cfg(test)]
mod tests {
    use contrail_core::ownership::mark::OWNER;
    use serde_json::json;

    use super::*;

    fn network(users: impl IntoIterator<Item = User>) -> VirtualNetwork {
        let network = json!({ "fq_name": ["d", "p", "n"] });
        let mut network: VirtualNetwork = serde_json::from_value(network).unwrap();
        let owner = (OWNER.to_owned(), "cnm-opencontrail".to_owned());
        network.meta.annotations.0.extend([owner]);
        for user in users {
            user.add_to(&mut network);
        }
        network
    }

    #[test]
    fn pools_and_docker_networks_are_distinguished_on_hosts_with_any_name() {
        for node in ["node1", "a.pool.b", "pool.", ".pool."] {
            let pool = User::pool(node, Uuid::from_u128(1));
            let docker = User::network(node, "4711", r#"{"pools":[]}"#.into());
            assert!(has_only_pools(&network([pool.clone()])), "{node}");
            assert!(!has_only_pools(&network([pool, docker.clone()])), "{node}");
            assert!(!has_only_pools(&network([docker])), "{node}");
        }
        assert!(!has_only_pools(&network([])));
    }

    #[test]
    fn annotations_are_those_of_earlier_programs() {
        let pool = User::pool("node1", Uuid::nil());
        let key = "container-plugin.docker-network.node1.pool.00000000-0000-0000-0000-000000000000";
        assert_eq!((pool.key.as_str(), pool.value.as_str()), (key, "uses it"));
        let key = "container-plugin.docker-network.node1.4711";
        assert_eq!(network_key("node1", "4711"), key);
    }

    #[test]
    fn a_kind_of_users_that_is_not_known_is_no_pool() {
        let pool = User::pool("node1", Uuid::from_u128(1));
        let other = User {
            key: "container-plugin.new-kind.1".into(),
            value: POOL.into(),
        };
        assert!(!has_only_pools(&network([pool, other])));
    }
}
