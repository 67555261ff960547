//! Requests that change a part of an object in one step on the server.

use serde_json::{Value, json};
use uuid::Uuid;

use super::message::ApiRequest;
use crate::values::FqName;

/// One end of a reference that is added or removed.
pub type Target<'a> = (&'static str, Uuid, &'a FqName);

/// Adds or removes one reference. Both succeed when there is nothing to do.
pub fn ref_update(
    operation: &str,
    from: (&str, Uuid),
    to: Target<'_>,
    attr: Option<Value>,
) -> ApiRequest {
    ApiRequest::post(
        "/ref-update",
        json!({
            "operation": operation,
            "type": from.0,
            "uuid": from.1,
            "ref-type": to.0,
            "ref-uuid": to.1,
            "ref-fq-name": to.2,
            "attr": attr,
        }),
    )
}

/// Sets one annotation of an object, or removes it; the others stay. Both may be repeated.
pub fn annotate(uuid: Uuid, key: &str, value: Option<&str>) -> ApiRequest {
    let update = match value {
        Some(value) => json!({
            "field": "annotations",
            "operation": "set",
            "value": {"key": key, "value": value},
            "position": key,
        }),
        None => json!({"field": "annotations", "operation": "delete", "position": key}),
    };
    let body = json!({"uuid": uuid, "updates": [update]});
    ApiRequest::post("/prop-collection-update", body)
}
