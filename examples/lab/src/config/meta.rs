//! What the server adds to every object: times, `id_perms` and `perms2`.

use std::time::SystemTime;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::{ApiError, Result};
use crate::clock::timestamp;

/// The two unsigned halves of an id.
fn halves(uuid: Uuid) -> Value {
    let (high, low) = uuid.as_u64_pair();
    json!({"uuid_mslong": high, "uuid_lslong": low})
}

/// `id_perms` of a new object before it has an id: of what the client sent only some fields count.
pub fn new_id_perms(sent: Option<&Value>) -> Value {
    let mut perms = json!({
        "permissions": {
            "owner": "cloud-admin", "owner_access": 7,
            "group": "cloud-admin-group", "group_access": 7, "other_access": 7,
        },
        "uuid": null, "enable": true, "created": null, "last_modified": null,
        "description": null, "user_visible": true, "creator": null,
    });
    for field in [
        "permissions",
        "enable",
        "description",
        "user_visible",
        "creator",
    ] {
        if let Some(value) = sent
            .and_then(|sent| sent.get(field))
            .filter(|v| !v.is_null())
        {
            perms[field] = value.clone();
        }
    }
    perms
}

/// Completes `id_perms` when the object is stored.
pub fn stamp_created(props: &mut Map<String, Value>, uuid: Uuid) {
    let time = timestamp(SystemTime::now());
    if let Some(perms) = props.get_mut("id_perms") {
        perms["uuid"] = halves(uuid);
        perms["created"] = json!(time);
        perms["last_modified"] = json!(time);
    }
}

/// Notes that the object was changed.
pub fn stamp_modified(props: &mut Map<String, Value>) {
    if let Some(perms) = props.get_mut("id_perms") {
        perms["last_modified"] = json!(timestamp(SystemTime::now()));
    }
}

/// When the object was last changed.
pub fn last_modified(props: &Map<String, Value>) -> &str {
    let time = props
        .get("id_perms")
        .and_then(|perms| perms["last_modified"].as_str());
    time.unwrap_or_default()
}

/// `perms2` of an object that belongs to `owner` and is not shared.
pub fn default_perms2(owner: &str) -> Value {
    json!({"owner": owner, "owner_access": 7, "global_access": 0, "share": []})
}

/// `perms2` of a new object; `owner` is who it belongs to when the client does not say.
pub fn new_perms2(sent: Option<&Value>, owner: &str) -> Result<Value> {
    let Some(Value::Object(sent)) = sent else {
        return Ok(default_perms2(owner));
    };
    if !sent.contains_key("owner") {
        return Err(ApiError::bad_request("owner in perms2 must be present"));
    }
    let mut perms = default_perms2(owner);
    for (key, value) in sent {
        perms[key] = value.clone();
    }
    Ok(perms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_halves_of_an_id_are_unsigned() {
        let uuid = Uuid::parse_str("f0810049-beea-4d8e-b5f6-faca46e18314").unwrap();
        let perms = halves(uuid);
        assert_eq!(perms["uuid_mslong"], 17330133157834018190_u64);
        assert_eq!(perms["uuid_lslong"], 13111943111815299860_u64);
    }
}
