//! The schema transformer's decision which service chains there are, and which of them it has built.

use std::collections::{BTreeMap, BTreeSet};

use contrail_core::FqName;
use uuid::Uuid;

use super::service_addresses;
use crate::config::made::{Chain, Memory};
use crate::config::state::State;
use crate::view::{self, NetworkView, PolicyRule, members, role};

/// How a service instance passes packets on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// As a router.
    InNetwork,
    /// As a router that translates addresses.
    InNetworkNat,
    /// As a wire.
    Transparent,
}

/// The chains that the policies of these networks ask for, by what makes a chain the same one.
pub(super) fn asked(networks: &[NetworkView]) -> BTreeMap<String, Chain> {
    let mut asked: BTreeMap<String, Chain> = BTreeMap::new();
    for (left, right, rule) in view::meant(networks) {
        let (left, right) = (&networks[left].fq_name, &networks[right].fq_name);
        if rule.pass && !rule.services.is_empty() {
            let new = || Chain {
                id: Uuid::new_v4(),
                rules: BTreeSet::new(),
                left: left.clone(),
                right: right.clone(),
                both_ways: rule.both_ways,
                services: rule.services.clone(),
                is_built: false,
            };
            let chain = asked.entry(identity(left, right, rule)).or_insert_with(new);
            chain.rules.insert(rule.id.clone());
        }
    }
    asked
}

fn identity(left: &FqName, right: &FqName, rule: &PolicyRule) -> String {
    let packets = (&rule.protocol, &rule.source_ports, &rule.destination_ports);
    let services = &rule.services;
    format!("{left} {right} {} {packets:?} {services:?}", rule.both_ways)
}

/// Keeps the chains that are still asked for, adds those that are new, and builds and destroys them.
/// `joined` are the service instances that an interface has just joined.
pub(super) fn follow(state: &mut State, networks: &[NetworkView], joined: &BTreeSet<Uuid>) {
    let mut chains = asked(networks);
    for (identity, chain) in &mut chains {
        if let Some(before) = state.made.chains.get(identity) {
            chain.id = before.id;
            chain.is_built = before.is_built;
        }
        let mut services = chain.services.iter();
        let is_built = services.all(|service| holds(state, chain, service, joined));
        chain.is_built = is_built;
    }
    state.made.chains = chains;
}

/// Whether a service instance lets its chain be built, or stay as it is.
fn holds(state: &State, chain: &Chain, service: &FqName, joined: &BTreeSet<Uuid>) -> bool {
    let kinds = state.kinds;
    let found = state.store.find(kinds.service_instance, service.parts());
    let Some((id, mode)) = found.and_then(|id| Some((id, mode(state, id)?))) else {
        return false;
    };
    // A chain that stands is looked at anew when a member joins.
    let is_looked_at = !chain.is_built || joined.contains(&id);
    let memory = &state.made.memory;
    if is_looked_at && memory.has_ghost(id) {
        return false;
    }
    let needs_right = chain.both_ways && mode != Mode::InNetworkNat;
    let has_address = |role| !service_addresses::addresses(state, id, role).is_empty();
    let is_whole = |tuple: &Uuid| {
        let members = members(state, *tuple);
        let left = members.get("left");
        left.is_some_and(|left| memory.is_known(*left))
            && (!needs_right || members.contains_key("right"))
    };
    let mut tuples = state.store.children_of(id, kinds.port_tuple).iter();
    has_address("left") && (!needs_right || has_address("right")) && tuples.any(is_whole)
}

/// Whether the schema transformer knows the shared address of a role by any of the interfaces.
pub(super) fn knows_address(state: &State, memory: &Memory, instance: Uuid, of: &str) -> bool {
    let kinds = state.kinds;
    let tuples = state.store.children_of(instance, kinds.port_tuple).iter();
    let interfaces = tuples.flat_map(|tuple| {
        let kind = kinds.virtual_machine_interface;
        state.store.back_refs_of(*tuple, kind)
    });
    interfaces
        .filter(|id| role(state, *id).as_deref() == Some(of))
        .any(|id| memory.is_known(id))
}

/// The mode of a service instance, when its template has a known one.
pub(super) fn mode(state: &State, instance: Uuid) -> Option<Mode> {
    let object = state.store.get(instance)?;
    match view::service_instance(state, object).mode.as_str() {
        "in-network" => Some(Mode::InNetwork),
        "in-network-nat" => Some(Mode::InNetworkNat),
        "transparent" => Some(Mode::Transparent),
        _ => None,
    }
}
