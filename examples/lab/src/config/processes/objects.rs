//! What the processes do to objects: properties and references that are theirs.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::config::made::Links;
use crate::config::meta;
use crate::config::schema::Kind;
use crate::config::state::State;
use crate::config::store::Ref;

/// A reference without data.
pub(super) fn plain(to: Uuid) -> Ref {
    Ref {
        to,
        attr: Value::Null,
        relaxed: false,
    }
}

/// The map of a JSON object.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Gives an object these properties; null removes one.
pub(super) fn set_props(state: &mut State, id: Uuid, wanted: Map<String, Value>) {
    let Some(props) = state.store.props_mut(id) else {
        return;
    };
    let mut changed = false;
    for (name, value) in wanted {
        if value.is_null() {
            changed |= props.shift_remove(&name).is_some();
        } else if props.get(&name) != Some(&value) {
            props.insert(name, value);
            changed = true;
        }
    }
    if changed {
        meta::stamp_modified(props);
        state.touch();
    }
}

/// Makes the wanted references with their data, and removes those of `made` that are not wanted. What
/// somebody else made stays. The references that the processes have made then.
pub(super) fn link(
    state: &mut State,
    to_kind: Kind,
    made: Links,
    wanted: BTreeMap<(Uuid, Uuid), Value>,
) -> Links {
    let (mut made, gone): (Links, Links) =
        made.into_iter().partition(|link| wanted.contains_key(link));
    for (from, to) in gone {
        if attr(state, from, to_kind, to).is_some() {
            state.store.remove_ref(from, to_kind, to);
            state.touch();
        }
    }
    for ((from, to), value) in wanted {
        let present = attr(state, from, to_kind, to);
        if present.is_some() && !made.contains(&(from, to)) || present == Some(&value) {
            continue;
        }
        let reference = Ref {
            attr: value,
            ..plain(to)
        };
        state.store.set_ref(from, to_kind, reference);
        made.insert((from, to));
        state.touch();
    }
    made
}

/// The data on a reference, when there is one.
fn attr(state: &State, from: Uuid, to_kind: Kind, to: Uuid) -> Option<&Value> {
    let refs = state.store.get(from)?.refs_to(to_kind);
    let found = refs.iter().find(|reference| reference.to == to);
    found.map(|reference| &reference.attr)
}
