//! `/obj-perms`, `/chown`, `/chmod` and `/aaa-mode`.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::config::access::Access;
use crate::config::call::{Call, Reply};
use crate::config::error::{ApiError, Result};
use crate::config::identifier::parse_uuid;
use crate::config::meta;
use crate::config::python_repr::str_of;
use crate::config::state::State;

/// What the caller may do with an object, or with none: everything.
///
/// # Errors
/// 404 for an unknown object.
pub fn obj_perms(state: &State, call: &Call<'_>) -> Result<Reply> {
    let uuid = call.query("uuid").map(|id| object(state, &json!(id)));
    let object = uuid.transpose()?.and_then(|uuid| state.store.get(uuid));
    let letters = [
        (Access::Read, 'R'),
        (Access::Write, 'W'),
        (Access::Link, 'X'),
    ];
    let allowed = |access| object.is_none_or(|object| call.caller.may(object, access).is_ok());
    let letters = letters.iter().filter(|(access, _)| allowed(*access));
    let permissions: String = letters.map(|(_, letter)| letter).collect();
    Ok(Reply::Json(json!({
        "token_info": null,
        "is_cloud_admin_role": false,
        "is_global_read_only_role": false,
        "permissions": permissions,
    })))
}

/// Changes whom an object belongs to.
///
/// # Errors
/// 404 for an unknown object, 400 without an owner.
pub fn chown(state: &mut State, call: &Call<'_>) -> Result<Reply> {
    let body = call.json_object()?;
    let uuid = object(state, body.get("uuid").unwrap_or(&Value::Null))?;
    may_change(state, call, uuid, "Bad Request, invalid resource UUID")?;
    let owner = body.get("owner").filter(|owner| owner.is_string());
    let owner = owner.ok_or_else(|| ApiError::bad_request("Bad Request, no owner in POST body"))?;
    change(state, uuid, |perms| {
        perms.insert("owner".into(), owner.clone());
    });
    Ok(Reply::Json(json!({})))
}

/// Changes who may do what with an object.
///
/// # Errors
/// 404 for an unknown object.
pub fn chmod(state: &mut State, call: &Call<'_>) -> Result<Reply> {
    let body = call.json_object()?;
    let uuid = object(state, body.get("uuid").unwrap_or(&Value::Null))?;
    may_change(state, call, uuid, "Bad Request, invalid object id")?;
    change(state, uuid, |perms| {
        for field in ["owner_access", "global_access", "share"] {
            if let Some(value) = body.get(field) {
                perms.insert(field.into(), value.clone());
            }
        }
    });
    Ok(Reply::Json(json!({})))
}

/// Whether the caller may read and change an object. The server says of one that they may not that
/// its id is invalid.
fn may_change(state: &State, call: &Call<'_>, uuid: Uuid, refusal: &str) -> Result<()> {
    let Some(object) = state.store.get(uuid) else {
        return Ok(());
    };
    let mut wanted = [Access::Read, Access::Write].iter();
    match wanted.all(|access| call.caller.may(object, *access).is_ok()) {
        true => Ok(()),
        false => Err(ApiError::bad_request(refusal)),
    }
}

fn object(state: &State, id: &Value) -> Result<Uuid> {
    let text = str_of(id);
    parse_uuid(&text)
        .filter(|uuid| state.store.get(*uuid).is_some())
        .ok_or_else(|| ApiError::unknown_id(&text))
}

fn change(state: &mut State, uuid: Uuid, change: impl FnOnce(&mut Map<String, Value>)) {
    if let Some(props) = state.store.props_mut(uuid) {
        if let Some(Value::Object(perms)) = props.get_mut("perms2") {
            change(perms);
        }
        meta::stamp_modified(props);
    }
    state.touch();
}

/// Shows how requests are authorised.
pub fn aaa_mode(state: &State) -> Reply {
    Reply::Json(json!({ "aaa-mode": state.aaa_mode }))
}

/// Changes what [`aaa_mode`] shows. Tokens are checked or not as the lab was started.
///
/// # Errors
/// 400 for an unknown mode, 403 for a caller who is no admin.
pub fn set_aaa_mode(state: &mut State, call: &Call<'_>) -> Result<Reply> {
    if call.caller.is_restricted() {
        return Err(ApiError::new(403, " Permission denied"));
    }
    let body = call.json_object()?;
    let mode = body
        .get("aaa-mode")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !["no-auth", "cloud-admin", "rbac"].contains(&mode) {
        return Err(ApiError::bad_request("Invalid aaa-mode value"));
    }
    state.aaa_mode = mode.into();
    state.touch();
    Ok(aaa_mode(state))
}
