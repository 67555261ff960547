//! `/ref-update` and `/ref-relax-for-delete`: one reference at a time.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::config::access::Access;
use crate::config::call::{Call, Reply};
use crate::config::check::{self, is_falsy};
use crate::config::error::{ApiError, Result};
use crate::config::identifier::{fq_name, kind_of, parse_uuid};
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
    let kind = kind_of(&body, "type")?;
    if body.get("ref-type").is_none_or(Value::is_null) {
        return Err(ApiError::internal());
    }
    let to_kind = kind_of(&body, "ref-type")?;
    let present = |name: &str| body.get(name).filter(|value| !value.is_null());
    let required = ["type", "uuid", "ref-type", "operation"].map(present);
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
    let id = str_of(id);
    let target = target(state, to_kind, get("ref-uuid"), get("ref-fq-name"));
    // The server looks a name up in any case, an id only to add it.
    let target = match (target, get("ref-uuid")) {
        (Err(error), None) => return Err(error),
        (target, _) => target,
    };
    if add {
        check_attr(state, kind, to_kind, &target, body.get("attr"))?;
    }
    let uuid = parse_uuid(&id)
        .filter(|uuid| state.store.get_kind(kind, *uuid).is_some())
        .ok_or_else(|| ApiError::unknown_id(&id))?;
    if let Some(object) = state.store.get(uuid) {
        call.caller.may(object, Access::Write)?;
    }
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
    let value = name.unwrap_or(&Value::Null);
    let found = state.store.find(kind, &fq_name(value)?);
    found.ok_or_else(|| ApiError::unknown_name(value))
}

/// The data of a reference to add must be of its class, if it is not null.
fn check_attr(
    state: &State,
    kind: Kind,
    to_kind: Kind,
    target: &Result<Uuid>,
    attr: Option<&Value>,
) -> Result<()> {
    let target = target.as_ref().ok().and_then(|uuid| state.store.get(*uuid));
    let (Some(target), Some(attr)) = (target, attr.filter(|attr| !is_falsy(attr))) else {
        return Ok(());
    };
    let element = json!({"to": target.fq_name, "attr": attr, "uuid": target.uuid});
    let field = format!("{}_refs", to_kind.field());
    let mut object = Map::from_iter([(field, json!([element]))]);
    check::references(kind, &mut object)
        .map_err(|text| ApiError::bad_request(format!("Bad reference in ref-update: {text}")))
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
    let ids = [id("uuid"), id("ref-uuid")];
    let [Some(from), Some(to)] = ids else {
        let shown = ids.map(|id| id.unwrap_or("None".into())).join(", ");
        let text = format!("Bad Request: Both uuid and ref-uuid should be specified: {shown}.");
        return Err(ApiError::bad_request(text));
    };
    let uuid = parse_uuid(&from).filter(|uuid| state.store.get(*uuid).is_some());
    let uuid = uuid.ok_or_else(|| ApiError::new(404, format!("uuid {from} not found")))?;
    if let Some(to) = parse_uuid(&to) {
        state.store.relax_ref(uuid, to);
        state.touch();
    }
    Ok(Reply::Json(json!({ "uuid": uuid })))
}
