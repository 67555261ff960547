//! `/fqname-to-id` and `/id-to-fqname`.

use serde_json::{Value, json};

use crate::config::access::Access;
use crate::config::call::{Call, Reply};
use crate::config::error::{ApiError, Result};
use crate::config::identifier::{fq_name, kind_of, parse_uuid};
use crate::config::python_repr::str_of;
use crate::config::state::State;

/// The id of the object of a type and name.
///
/// # Errors
/// 404 when there is none, 500 without a name.
pub fn name_to_id(state: &State, call: &Call<'_>) -> Result<Reply> {
    let body = call.json_object()?;
    let kind = kind_of(&body, "type")?;
    let value = body.get("fq_name").ok_or_else(ApiError::internal)?;
    let found = state.store.find(kind, &fq_name(value)?);
    let uuid = found.ok_or_else(|| ApiError::unknown_name(value))?;
    if let Some(object) = state.store.get(uuid) {
        call.caller.may(object, Access::Read)?;
    }
    Ok(Reply::Json(json!({ "uuid": uuid })))
}

/// The type and name of an object.
///
/// # Errors
/// 404 when there is none, 500 without an id.
pub fn id_to_name(state: &State, call: &Call<'_>) -> Result<Reply> {
    let body = call.json_object()?;
    let value = body.get("uuid").ok_or_else(ApiError::internal)?;
    let uuid = value.as_str().and_then(parse_uuid);
    let object = uuid.and_then(|uuid| state.store.get(uuid)).ok_or_else(|| {
        let shown = str_of(value);
        ApiError::new(404, format!("UUID {shown} not found"))
    })?;
    call.caller.may(object, Access::Read)?;
    let name: Value = json!(object.fq_name);
    Ok(Reply::Json(
        json!({ "fq_name": name, "type": object.kind.name() }),
    ))
}
