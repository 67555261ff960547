//! Tells [`Memory`] what changed since it was last told, by comparing it with the objects.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use uuid::Uuid;

use crate::config::made::Memory;
use crate::config::state::State;
use crate::view;

/// Brings the memory up to date; the service instances that an interface has joined.
pub(super) fn observe(state: &State, memory: &mut Memory, now: Duration) -> BTreeSet<Uuid> {
    let kinds = state.kinds;
    let exists = |id: Uuid| state.store.get(id).is_some();
    let instances: BTreeSet<Uuid> = memory.tuples().map(|(_, instance)| instance).collect();
    let instances = instances.into_iter().chain(memory.ghost_instances());
    for gone in instances.filter(|id| !exists(*id)).collect::<Vec<_>>() {
        memory.instance_deleted(gone);
    }
    leave(state, memory, now);
    for gone in memory.interfaces().into_iter().filter(|id| !exists(*id)) {
        memory.interface_deleted(gone, now);
    }
    let known: BTreeMap<Uuid, Uuid> = memory.tuples().collect();
    for tuple in known.keys().filter(|tuple| !exists(**tuple)) {
        memory.tuple_deleted(*tuple, exists);
    }
    let mut joined = BTreeSet::new();
    for (_, instance) in state.store.listed(kinds.service_instance) {
        for tuple in state.store.children_of(instance, kinds.port_tuple) {
            if !known.contains_key(tuple) {
                memory.tuple_made(*tuple, instance, now);
            }
            let before: BTreeSet<Uuid> = memory.members(*tuple).collect();
            let refer = state
                .store
                .back_refs_of(*tuple, kinds.virtual_machine_interface);
            for interface in refer.filter(|id| !before.contains(id)) {
                let role = view::role(state, interface).unwrap_or_default();
                memory.joined(interface, &role, *tuple, now);
                joined.insert(instance);
            }
        }
    }
    joined
}

/// The interfaces that exist and no longer refer to their tuple.
fn leave(state: &State, memory: &mut Memory, now: Duration) {
    let kind = state.kinds.port_tuple;
    let tuples: Vec<Uuid> = memory.tuples().map(|(tuple, _)| tuple).collect();
    for tuple in tuples {
        let refers = |interface: Uuid| {
            let refs = state
                .store
                .get(interface)
                .map(|object| object.refs_to(kind));
            refs.is_none_or(|refs| refs.iter().any(|reference| reference.to == tuple))
        };
        let members: Vec<Uuid> = memory.members(tuple).collect();
        for interface in members.into_iter().filter(|id| !refers(*id)) {
            memory.left(interface, tuple, now);
        }
    }
}
