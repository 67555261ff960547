//! The schema transformer's route targets: each routing instance has one of its own, that of a network those
//! that its owner lists, too.

use std::collections::{BTreeMap, BTreeSet};

use contrail_core::FqName;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::objects::{link, object};
use super::routing::Wanted;
use crate::config::made::{Links, Targets};
use crate::config::state::State;

/// The autonomous system if the global system configuration names none.
const DEFAULT_SYSTEM: u64 = 64512;

/// The lists of a network's route targets, with the direction in which they are meant.
const LISTS: [(&str, Option<&str>); 3] = [
    ("route_target_list", None),
    ("import_route_target_list", Some("import")),
    ("export_route_target_list", Some("export")),
];

/// Gives the routing instances of `primaries` and of service chains their route targets, and takes those of
/// the ones that are `gone` away.
pub(super) fn follow(
    state: &mut State,
    primaries: &BTreeSet<Uuid>,
    gone: impl Iterator<Item = Uuid>,
    routing: &Wanted,
) {
    for id in gone {
        if let Some(number) = state.made.targets.of.remove(&id) {
            state.made.targets.numbers.free(number);
            refer(state, id, BTreeMap::new());
        }
    }
    let legs = state.made.routing_instances.clone();
    for id in primaries.union(&legs) {
        let Targets { numbers, of, .. } = &mut state.made.targets;
        of.entry(*id).or_insert_with(|| numbers.take());
    }
    let find = |name: &FqName| state.store.find(state.kinds.routing_instance, name.parts());
    let mut imports: BTreeMap<Uuid, Uuid> = BTreeMap::new();
    for (importing, imported) in &routing.imports {
        imports.extend(find(importing).zip(find(imported)));
    }
    let system = autonomous_system(state);
    let own = |state: &State, id: Uuid| {
        let number = state.made.targets.of.get(&id)?;
        Some(format!("target:{system}:{number}"))
    };
    for id in primaries.union(&legs) {
        let mut wanted = BTreeMap::new();
        if primaries.contains(id) {
            wanted.extend(listed(state, *id));
        }
        let imported = imports.get(id).and_then(|from| own(state, *from));
        wanted.extend(imported.map(|target| (target, Some("import"))));
        wanted.extend(own(state, *id).map(|target| (target, None)));
        refer(state, *id, wanted);
    }
}

/// Makes the references of a routing instance and the route targets that they lead to; what nothing refers
/// to any more goes.
fn refer(state: &mut State, instance: Uuid, wanted: BTreeMap<String, Option<&str>>) {
    let kind = state.kinds.route_target;
    let mut links = BTreeMap::new();
    for (target, direction) in wanted {
        let found = state.store.find(kind, &[&target]);
        let id = found.unwrap_or_else(|| {
            let props = object(json!({"display_name": target}));
            let id = state.make(kind, vec![target], None, props);
            state.made.targets.made.insert(id);
            id
        });
        links.insert((instance, id), json!({"import_export": direction}));
    }
    let all = &mut state.made.targets.links;
    let before: Links = all
        .range((instance, Uuid::nil())..=(instance, Uuid::max()))
        .copied()
        .collect();
    for link in &before {
        all.remove(link);
    }
    let after = link(state, kind, before.clone(), links);
    state.made.targets.links.extend(&after);
    for (_, target) in before.difference(&after) {
        let is_used = state
            .store
            .back_refs(*target)
            .any(|(_, from)| !from.is_empty());
        if !is_used && state.made.targets.made.remove(target) {
            state.discard(*target);
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
