//! `PUT /<type>/<id>`: what is named is replaced, what is not stays.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::access::Access;
use super::call::{Call, Reply};
use super::check::is_falsy;
use super::draft::{Draft, changed_refs, known_props};
use super::error::{ApiError, Result};
use super::identifier::parse_uuid;
use super::schema::Kind;
use super::state::State;
use super::store::{Object, Ref};
use super::{check, meta, types};

/// Changes an object.
///
/// # Errors
/// 404 when it does not exist, 400 for what the schema does not allow, and whatever the rules of
/// its type forbid.
pub fn update(state: &mut State, call: &Call<'_>, kind: Kind, id: &str) -> Result<Reply> {
    let body = call.json()?;
    if is_falsy(&body) {
        return Ok(Reply::Empty);
    }
    let mut sent = match body.get(kind.name()) {
        Some(value) if is_falsy(value) => return Ok(Reply::Empty),
        Some(Value::Object(sent)) => sent.clone(),
        _ => return Err(ApiError::internal()),
    };
    let perms2 = sent.get("perms2").filter(|perms| !perms.is_null());
    if perms2.is_some_and(|perms| perms.get("owner").is_none()) {
        return Err(ApiError::bad_request("owner in perms2 must be present"));
    }
    let uuid = parse_uuid(id)
        .filter(|uuid| state.store.get_kind(kind, *uuid).is_some())
        .ok_or_else(|| ApiError::unknown_id(id))?;
    if let Some(object) = state.store.get(uuid) {
        call.caller.may(object, Access::Write)?;
    }
    check::properties(kind, &mut sent)
        .map_err(|text| ApiError::bad_request(format!("Bad property in http_put: {text}")))?;
    check::references(kind, &mut sent)
        .map_err(|text| ApiError::bad_request(format!("Bad reference in http_put: {text}")))?;
    let refs = changed_refs(state, kind, &sent)?;
    call.caller.may_refer(state, &refs)?;
    let props = known_props(kind, &sent);
    apply(state, uuid, props, refs, &sent)?;
    let href = call.href(kind, uuid);
    Ok(Reply::Json(
        json!({ kind.name(): {"uuid": uuid, "href": href} }),
    ))
}

/// Changes an object that exists, when the rules of its type allow it.
pub(super) fn apply(
    state: &mut State,
    uuid: Uuid,
    props: Map<String, Value>,
    refs: BTreeMap<Kind, Vec<Ref>>,
    sent: &Map<String, Value>,
) -> Result<()> {
    let id = uuid.to_string();
    let object = state
        .store
        .get(uuid)
        .ok_or_else(|| ApiError::unknown_id(&id))?;
    let mut draft = Draft {
        object: Object {
            kind: object.kind,
            uuid,
            fq_name: object.fq_name.clone(),
            parent: object.parent,
            props,
            refs,
        },
        sent,
        address_was_free: false,
    };
    types::before_update(state, &mut draft)?;
    let Object { props, refs, .. } = draft.object;
    if let Some(stored) = state.store.props_mut(uuid) {
        merge(stored, props);
        meta::stamp_modified(stored);
    }
    for (kind, wanted) in refs {
        replace_refs(state, uuid, kind, wanted);
    }
    state.touch();
    Ok(())
}

fn merge(stored: &mut Map<String, Value>, changes: Map<String, Value>) {
    for (name, value) in changes {
        match (name.as_str(), value) {
            ("id_perms", value) => merge_id_perms(stored, &value),
            ("perms2", Value::Null) => {}
            (_, Value::Null) => {
                stored.shift_remove(&name);
            }
            (_, value) => {
                stored.insert(name, value);
            }
        }
    }
}

/// Only two fields of `id_perms` are the client's.
fn merge_id_perms(stored: &mut Map<String, Value>, changes: &Value) {
    let Some(perms) = stored.get_mut("id_perms") else {
        return;
    };
    for field in ["enable", "description"] {
        if let Some(value) = changes.get(field) {
            perms[field] = value.clone();
        }
    }
}

fn replace_refs(state: &mut State, uuid: Uuid, kind: Kind, wanted: Vec<Ref>) {
    let existing = state
        .store
        .get(uuid)
        .map(|object| object.refs_to(kind).to_vec());
    for reference in existing.into_iter().flatten() {
        if !wanted.iter().any(|w| w.to == reference.to) {
            state.store.remove_ref(uuid, kind, reference.to);
        }
    }
    for reference in wanted {
        state.store.set_ref(uuid, kind, reference);
    }
}
