//! The limits of a project.

use serde_json::Value;
use uuid::Uuid;

use super::error::{ApiError, Result};
use super::schema::Kind;
use super::state::State;

/// Whether a project may have one more child of a type.
///
/// # Errors
/// 412 when its quota is used up.
pub fn check(state: &State, kind: Kind, parent: Option<(Kind, Uuid)>) -> Result<()> {
    let project = parent.filter(|(kind, _)| *kind == state.kinds.project);
    let Some(project) = project.and_then(|(_, uuid)| state.store.get(uuid)) else {
        return Ok(());
    };
    let quota = project.props.get("quota");
    let limit = |name: &str| quota.and_then(|quota| quota[name].as_i64());
    let limit = limit(&kind.field()).or_else(|| limit("defaults"));
    let Some(limit) = limit.filter(|limit| *limit >= 0) else {
        return Ok(());
    };
    let visible = |uuid: &Uuid| {
        let object = state.store.get(*uuid);
        let perms = object.and_then(|object| object.props.get("id_perms"));
        perms.is_none_or(|perms| perms["user_visible"] != Value::Bool(false))
    };
    let children = state.store.children_of(project.uuid, kind);
    let count = children.iter().filter(|uuid| visible(uuid)).count();
    if i64::try_from(count).unwrap_or(i64::MAX) < limit {
        return Ok(());
    }
    let kind = kind.field();
    Err(ApiError::new(
        412,
        format!("quota limit ({limit}) exceeded for resource {kind}"),
    ))
}
