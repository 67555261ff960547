//! What the controller's own processes make of the configuration. The service monitor makes an address that
//! all members of a service instance share; the schema transformer the routing instances by which a service
//! chain leads, route targets, and access control lists.
//!
//! On a real controller they follow about a second after a request. Here they are done before the request
//! that changed something is answered. What they make of requests that came too quickly one after the other
//! for the real ones depends on the time between the requests here, too: see [`super::made::memory`].
//!
//! That they end as the real ones do is checked by two recordings, see `tests/controller`.

mod access_lists;
mod assignments;
mod chains;
mod objects;
mod observe;
mod routing;
mod service_addresses;
mod targets;
mod wires;

use std::collections::BTreeSet;
use std::time::Duration;

use uuid::Uuid;

use self::objects::set_props;
use super::state::State;
use crate::view;

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
