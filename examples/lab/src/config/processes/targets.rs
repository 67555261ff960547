//! The schema transformer's route targets: each routing instance has one of its own, that of a network those
//! that its owner lists, too.

use std::collections::{BTreeMap, BTreeSet};

use contrail_core::FqName;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::objects::{Links, link, object};
use super::routing::{Wanted, primaries};
use crate::config::state::{IdPool, State};

/// The first number of route targets that the controller gives.
const FIRST_NUMBER: u64 = 8_000_001;

/// The autonomous system if the global system configuration names none.
const DEFAULT_SYSTEM: u64 = 64512;

/// The lists of a network's route targets, with the direction in which they are meant.
const LISTS: [(&str, Option<&str>); 3] = [
    ("route_target_list", None),
    ("import_route_target_list", Some("import")),
    ("export_route_target_list", Some("export")),
];

/// What has been made of route targets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Targets {
    numbers: IdPool,
    /// The number of each routing instance.
    of: BTreeMap<Uuid, u64>,
    /// The route targets.
    made: BTreeSet<Uuid>,
    /// The references from routing instances to them.
    links: Links,
}

impl Default for Targets {
    fn default() -> Self {
        Self {
            numbers: IdPool::from(FIRST_NUMBER),
            of: BTreeMap::new(),
            made: BTreeSet::new(),
            links: Links::new(),
        }
    }
}

/// Gives every routing instance its route targets.
pub(super) fn follow(state: &mut State, routing: &Wanted) {
    let kinds = state.kinds;
    let primaries = primaries(state);
    let mut instances = primaries.clone();
    instances.extend(&state.made.routing_instances);
    number(&mut state.made.targets, &instances);
    let system = autonomous_system(state);
    let own = |state: &State, id: &Uuid| {
        let number = state.made.targets.of.get(id)?;
        Some(format!("target:{system}:{number}"))
    };
    let mut wanted: BTreeMap<(Uuid, String), Option<&str>> = BTreeMap::new();
    for id in &instances {
        wanted.extend(own(state, id).map(|target| ((*id, target), None)));
    }
    for id in primaries {
        for (target, direction) in listed(state, id) {
            wanted.insert((id, target), direction);
        }
    }
    let find = |name: &FqName| state.store.find(kinds.routing_instance, name.parts());
    for (importing, imported) in &routing.imports {
        if let Some((to, from)) = find(importing).zip(find(imported)) {
            let target = own(state, &from);
            wanted.extend(target.map(|target| ((to, target), Some("import"))));
        }
    }
    refer(state, wanted);
}

/// Numbers the routing instances that have none; those of others are free again.
fn number(targets: &mut Targets, instances: &BTreeSet<Uuid>) {
    let Targets { numbers, of, .. } = targets;
    of.retain(|id, number| {
        let stays = instances.contains(id);
        if !stays {
            numbers.free(*number);
        }
        stays
    });
    for id in instances {
        of.entry(*id).or_insert_with(|| numbers.take());
    }
}

/// Makes the references and the route targets that they lead to; those that nothing refers to go.
fn refer(state: &mut State, wanted: BTreeMap<(Uuid, String), Option<&str>>) {
    let kind = state.kinds.route_target;
    let mut links = BTreeMap::new();
    for ((instance, target), direction) in wanted {
        let found = state.store.find(kind, &[&target]);
        let id = found.unwrap_or_else(|| {
            let props = object(json!({"display_name": target}));
            let id = state.make(kind, vec![target], None, props);
            state.made.targets.made.insert(id);
            id
        });
        links.insert((instance, id), json!({"import_export": direction}));
    }
    let made = std::mem::take(&mut state.made.targets.links);
    state.made.targets.links = link(state, kind, made, links);
    for id in state.made.targets.made.clone() {
        let is_used = state.store.back_refs(id).any(|(_, from)| !from.is_empty());
        if !is_used {
            state.made.targets.made.remove(&id);
            state.discard(id);
        }
    }
}

/// The route targets that are listed for the network of a routing instance.
fn listed(state: &State, primary: Uuid) -> Vec<(String, Option<&'static str>)> {
    let parent = state.store.get(primary).and_then(|object| object.parent);
    let network = parent.and_then(|(_, id)| state.store.get(id));
    let Some(props) = network.map(|network| &network.props) else {
        return Vec::new();
    };
    let of = |(list, direction): (&str, Option<&'static str>)| {
        let targets = targets(props, list).into_iter();
        targets
            .map(move |target| (target, direction))
            .collect::<Vec<_>>()
    };
    LISTS.into_iter().rev().flat_map(of).collect()
}

fn targets(props: &Map<String, Value>, list: &str) -> Vec<String> {
    let targets = props
        .get(list)
        .and_then(|list| list["route_target"].as_array());
    let targets = targets.into_iter().flatten();
    targets
        .filter_map(|t| t.as_str().map(str::to_owned))
        .collect()
}

fn autonomous_system(state: &State) -> u64 {
    let name = ["default-global-system-config"];
    let found = state.store.find(state.kinds.global_system_config, &name);
    let system = found.and_then(|id| state.store.get(id)?.number("autonomous_system"));
    system.unwrap_or(DEFAULT_SYSTEM)
}
