//! `/ref-update` and `/ref-relax-for-delete`: one reference at a time.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::kind_of;
use crate::config::call::{Call, Reply, parse_uuid};
use crate::config::check::is_falsy;
use crate::config::draft::fq_name;
use crate::config::error::{ApiError, Result};
use crate::config::python_repr::str_of;
use crate::config::schema::Kind;
use crate::config::state::State;
use crate::config::store::Ref;
use crate::config::update::apply;

/// Adds or removes one reference. Both can be repeated without harm. As on the real server, a
/// reference that the schema does not have is accepted.
///
/// # Errors
/// 400 for an incomplete request, 404 when an object or the target to add does not exist.
pub fn ref_update(state: &mut State, call: &Call<'_>) -> Result<Reply> {
    let body = call.json_object()?;
    let get = |name: &str| body.get(name).filter(|value| !is_falsy(value));
    let required = ["type", "uuid", "ref-type", "operation"].map(get);
    let [Some(_), Some(id), Some(_), Some(operation)] = required else {
        let shown = required
            .map(|value| value.map_or("None".into(), str_of))
            .join(", ");
        let text = format!("Bad Request: type/uuid/ref-type/operation is null: {shown}.");
        return Err(ApiError::bad_request(text));
    };
    let operation = str_of(operation);
    let add = match operation.to_ascii_uppercase().as_str() {
        "ADD" => true,
        "DELETE" => false,
        _ => {
            let text = format!("Bad Request: operation should be add or delete: {operation}");
            return Err(ApiError::bad_request(text));
        }
    };
    if get("ref-uuid").is_none() && get("ref-fq-name").is_none() {
        let text = "Bad Request: ref-uuid or ref-fq-name must be specified";
        return Err(ApiError::bad_request(text));
    }
    let kind = kind_of(&body, "type")?;
    let to_kind = kind_of(&body, "ref-type")?;
    let id = str_of(id);
    let uuid = parse_uuid(&id)
        .filter(|uuid| state.store.get_kind(kind, *uuid).is_some())
        .ok_or_else(|| ApiError::unknown_id(&id))?;
    let target = target(state, to_kind, get("ref-uuid"), get("ref-fq-name"));
    let mut refs = state
        .store
        .get(uuid)
        .map(|o| o.refs_to(to_kind).to_vec())
        .unwrap_or_default();
    if add {
        let to = target?;
        let attr = body.get("attr").cloned().unwrap_or_default();
        match refs.iter_mut().find(|reference| reference.to == to) {
            Some(existing) => existing.attr = attr,
            None => refs.push(Ref {
                to,
                attr,
                relaxed: false,
            }),
        }
        change(state, uuid, to_kind, refs)?;
        if get("relax_ref_for_delete").is_some() {
            state.store.relax_ref(uuid, to);
        }
    } else if let Ok(to) = target
        && refs.iter().any(|reference| reference.to == to)
    {
        refs.retain(|reference| reference.to != to);
        change(state, uuid, to_kind, refs)?;
    }
    Ok(Reply::Json(json!({ "uuid": uuid })))
}

fn target(state: &State, kind: Kind, id: Option<&Value>, name: Option<&Value>) -> Result<Uuid> {
    if let Some(id) = id {
        let text = str_of(id);
        return parse_uuid(&text)
            .filter(|uuid| state.store.get(*uuid).is_some())
            .ok_or_else(|| ApiError::unknown_id(&text));
    }
    let name = fq_name(name.unwrap_or(&Value::Null))?;
    state
        .store
        .find(kind, &name)
        .ok_or_else(|| ApiError::unknown_name(&name))
}

/// Replaces the references to objects of a type when the rules of the object's type allow it.
fn change(state: &mut State, uuid: Uuid, to_kind: Kind, refs: Vec<Ref>) -> Result<()> {
    apply(
        state,
        uuid,
        Map::new(),
        BTreeMap::from([(to_kind, refs)]),
        &Map::new(),
    )
}

/// Lets the target of a reference be deleted in spite of it.
///
/// # Errors
/// 400 for an incomplete request, 404 when there is no such reference.
pub fn ref_relax(state: &mut State, call: &Call<'_>) -> Result<Reply> {
    let body = call.json_object()?;
    let id = |name: &str| body.get(name).map(str_of);
    let (Some(from), Some(to)) = (id("uuid"), id("ref-uuid")) else {
        let text = "Bad Request: Both uuid and ref-uuid should be specified";
        return Err(ApiError::bad_request(text));
    };
    let uuid = parse_uuid(&from).ok_or_else(|| ApiError::unknown_id(&from))?;
    if state.store.get(uuid).is_none() {
        return Err(ApiError::unknown_id(&from));
    }
    if let Some(to) = parse_uuid(&to) {
        state.store.relax_ref(uuid, to);
        state.touch();
    }
    Ok(Reply::Json(json!({ "uuid": uuid })))
}
