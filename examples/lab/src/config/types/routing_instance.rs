//! Routing instances: the default one of a network belongs to the server.

use serde_json::Value;

use crate::config::draft::Draft;
use crate::config::error::{ApiError, Result};
use crate::config::store::Object;

pub fn before_create(draft: &mut Draft<'_>) -> Result<()> {
    refuse_default(
        draft.object.props.get("routing_instance_is_default"),
        &draft.object.fq_name,
    )
}

pub fn before_delete(object: &Object) -> Result<()> {
    refuse_default(
        object.props.get("routing_instance_is_default"),
        &object.fq_name,
    )
}

fn refuse_default(is_default: Option<&Value>, fq_name: &[String]) -> Result<()> {
    if is_default != Some(&Value::Bool(true)) {
        return Ok(());
    }
    let name = fq_name.join(":");
    Err(ApiError::new(
        409,
        format!("Cannot modify system resource Routing Instance {name}"),
    ))
}
