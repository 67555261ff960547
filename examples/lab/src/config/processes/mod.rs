//! What the controller's own processes make of the configuration. The service monitor makes an address that
//! all members of a service instance share; the schema transformer the routing instances by which a service
//! chain leads, route targets, and access control lists.
//!
//! On a real controller they follow about a second after a request. Here they are done before the request
//! that changed something is answered. What they make of requests that came too quickly one after the other
//! for the real ones depends on the time between the requests here, too: see [`memory`].
//!
//! That they end as the real ones do is checked by two recordings, see `tests/controller`.

mod access_lists;
mod assignments;
mod chains;
mod memory;
mod objects;
mod observe;
mod routing;
mod service_addresses;
mod targets;
mod wires;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::chains::Chain;
use self::memory::Memory;
use self::objects::{Links, set_props};
use self::targets::Targets;
use super::state::State;
use crate::view;

/// What they have made, and what they remember.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Made {
    /// What is remembered of port tuples and their interfaces.
    memory: Memory,
    /// The service chains that policies ask for, by what makes a chain the same one.
    chains: BTreeMap<String, Chain>,
    /// The shared addresses, each with its service instance.
    shared: BTreeMap<Uuid, Uuid>,
    /// The addresses of transparent service instances in chains.
    wires: BTreeMap<Uuid, String>,
    /// The VLAN tags of transparent service instances in chains.
    tags: BTreeMap<String, u32>,
    /// The routing instances of legs.
    routing_instances: BTreeSet<Uuid>,
    /// Connections between routing instances, each with the smaller id first.
    connections: Links,
    /// References from the interfaces of transparent service instances to routing instances.
    steered: Links,
    /// The interfaces that have a `vrf_assign_table`.
    assigned: BTreeSet<Uuid>,
    /// The access control lists of networks.
    access_lists: BTreeSet<Uuid>,
    /// Route targets.
    targets: Targets,
}

impl Made {
    /// The service chains that policies ask for.
    pub fn chains(&self) -> impl Iterator<Item = &Chain> {
        self.chains.values()
    }

    /// Whether there is anything that policies or service instances asked for.
    fn has_services(&self) -> bool {
        !self.memory.is_empty()
            || !self.chains.is_empty()
            || !self.shared.is_empty()
            || !self.connections.is_empty()
            || !self.access_lists.is_empty()
    }
}

/// Makes and removes objects until they are what the configuration asks for. `changed` are the objects that
/// were made, removed or given other properties, `now` is the time since the beginning of 1970.
pub fn follow(state: &mut State, changed: &BTreeSet<Uuid>, now: Duration) {
    let kinds = state.kinds;
    let is_asked = state.store.count(kinds.service_instance) > 0
        || state.store.count(kinds.network_policy) > 0;
    let mut routing = routing::Wanted::default();
    if is_asked || state.made.has_services() {
        let mut memory = std::mem::take(&mut state.made.memory);
        let joined = observe::observe(state, &mut memory, now);
        state.made.memory = memory;
        service_addresses::follow(state);
        // A chain exists once its members have such addresses.
        let networks = view::networks_with_policies(state);
        chains::follow(state, &networks, &joined);
        routing = routing::follow(state, &networks);
        wires::steer(state);
        assignments::follow(state, &networks);
        access_lists::follow(state, &networks);
    }
    let own = state.store.take_changed();
    let changed: BTreeSet<Uuid> = changed.union(&own).copied().collect();
    let primary = |id: &Uuid| routing::primary_of(state, *id);
    let primaries: BTreeSet<Uuid> = changed.iter().filter_map(primary).collect();
    for id in &primaries {
        let has_no_pnf = ("routing_instance_has_pnf".to_owned(), false.into());
        set_props(state, *id, [has_no_pnf].into_iter().collect());
    }
    let is_gone = |id: &&Uuid| state.store.get(**id).is_none();
    let gone: Vec<Uuid> = changed.iter().filter(is_gone).copied().collect();
    targets::follow(state, &primaries, gone.into_iter(), &routing);
    // What this changed has been looked at.
    state.store.take_changed();
}
