//! Access lists: which role may create, read, update or delete objects of which type.

use serde_json::Value;

use super::Caller;
use crate::config::error::{ApiError, Result};
use crate::config::python_repr::repr_list;
use crate::config::state::State;
use crate::config::store::Object;
use crate::http::Request;
use crate::keystone::Identity;

impl Caller {
    /// Whether any rule lets the caller send a request like this one.
    ///
    /// # Errors
    /// 403 when none does.
    pub fn check_rules(&self, state: &State, request: &Request) -> Result<()> {
        let Some(identity) = self.restricted() else {
            return Ok(());
        };
        let object = object_of(&request.path);
        let operation = match request.method.as_str() {
            "POST" => 'C',
            "PUT" => 'U',
            "DELETE" => 'D',
            _ => 'R',
        };
        if allows(state, identity, object, operation) {
            return Ok(());
        }
        let Identity { user, roles, .. } = identity;
        let project = identity.project.as_deref().unwrap_or_default();
        let roles = repr_list(roles);
        Err(ApiError::new(
            403,
            format!("Permission Denied for {user} as {roles} to {operation} {object} in {project}"),
        ))
    }
}

/// The type, or the action, that a path is about.
fn object_of(path: &str) -> &str {
    let rest = path.trim_start_matches('/');
    match rest.split_once('/') {
        _ if rest.is_empty() => "/",
        Some((kind, _)) => kind,
        None if crate::config::document::has_action(rest) => rest,
        None => rest.strip_suffix('s').unwrap_or(rest),
    }
}

/// Rules that name the object count before those for every object.
fn allows(state: &State, identity: &Identity, object: &str, operation: char) -> bool {
    let kind = state.kinds.api_access_list;
    let lists = state.store.listed(kind);
    let lists = lists.filter_map(|(_, id)| state.store.get(id));
    let rules: Vec<&Value> = lists
        .filter(|list| concerns(state, list, identity))
        .filter_map(|list| list.props.get("api_access_list_entries"))
        .filter_map(|entries| entries["rbac_rule"].as_array())
        .flatten()
        .filter(|rule| rule["rule_field"].as_str().is_none_or(str::is_empty))
        .collect();
    let of = |name: &str| -> Vec<&Value> {
        let named = rules.iter().filter(|rule| rule["rule_object"] == name);
        named.copied().collect()
    };
    let mut matching = of(object);
    if matching.is_empty() {
        matching = of("*");
    }
    let permissions = matching
        .iter()
        .filter_map(|rule| rule["rule_perms"].as_array())
        .flatten();
    let for_caller = |role: &str| role == "*" || identity.roles.iter().any(|own| own == role);
    permissions
        .filter(|permission| permission["role_name"].as_str().is_some_and(for_caller))
        .filter_map(|permission| permission["role_crud"].as_str())
        .any(|operations| operations.contains(operation))
}

/// A list of a project is for the tokens of that project.
fn concerns(state: &State, list: &Object, identity: &Identity) -> bool {
    match list.parent {
        Some((kind, id)) if kind == state.kinds.project => {
            identity.project_id.as_deref() == Some(id.simple().to_string().as_str())
        }
        _ => true,
    }
}
