//! The permissions of each object: its owner's, those of whom it is shared with, everybody's.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use uuid::Uuid;

use super::Caller;
use crate::config::error::{ApiError, Result};
use crate::config::python_repr::repr_list;
use crate::config::schema::Kind;
use crate::config::state::State;
use crate::config::store::{Object, Ref};
use crate::keystone::Identity;

/// An operation on an object, as permissions know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// See it.
    Read,
    /// Change it, or make a child of it.
    Write,
    /// Refer to it.
    Link,
    /// Remove it, which takes more than a change: only its owner may.
    Delete,
}

impl Access {
    fn bit(self) -> u64 {
        match self {
            Self::Read => 4,
            Self::Write | Self::Delete => 2,
            Self::Link => 1,
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write | Self::Delete => "write",
            Self::Link => "link",
        })
    }
}

impl Caller {
    /// Whether the object's permissions let the caller do something with it.
    ///
    /// # Errors
    /// 403 when they do not.
    pub fn may(&self, object: &Object, access: Access) -> Result<()> {
        let Some(identity) = self.restricted() else {
            return Ok(());
        };
        let perms = object.props.get("perms2").unwrap_or(&Value::Null);
        if permissions(perms, identity, access) & access.bit() != 0 {
            return Ok(());
        }
        let Identity { user, roles, .. } = identity;
        let project = identity.project.as_deref().unwrap_or_default();
        let (roles, owner) = (
            repr_list(roles),
            perms["owner"].as_str().unwrap_or_default(),
        );
        Err(ApiError::new(
            403,
            format!(
                "Permission Denied for {roles} to {access} operation in domain 'default-domain' and \
                 project '{project}' RBAC: {user} doesn't have {access} permission in project \
                 '{owner}'"
            ),
        ))
    }

    /// Whether the caller may make children of an object. Everybody may make projects.
    ///
    /// # Errors
    /// 403 when the object's permissions do not let them.
    pub fn may_have_child(&self, state: &State, parent: Option<(Kind, Uuid)>) -> Result<()> {
        let parent = parent.filter(|(kind, _)| *kind != state.kinds.domain);
        let parent = parent.and_then(|(_, id)| state.store.get(id));
        parent.map_or(Ok(()), |parent| self.may(parent, Access::Write))
    }

    /// Whether the caller may refer to all of these.
    ///
    /// # Errors
    /// 403 when the permissions of one do not let them.
    pub fn may_refer(&self, state: &State, refs: &BTreeMap<Kind, Vec<Ref>>) -> Result<()> {
        let targets = refs.values().flatten();
        let mut targets = targets.filter_map(|reference| state.store.get(reference.to));
        targets.try_for_each(|target| self.may(target, Access::Link))
    }

    /// Whether the caller is bound by rules and permissions.
    pub fn is_restricted(&self) -> bool {
        self.restricted().is_some()
    }
}

/// The permission bits that apply to a caller.
fn permissions(perms: &Value, identity: &Identity, access: Access) -> u64 {
    let project = identity.project_id.as_deref();
    let own = |id: &Value| id.as_str().map(|id| id.replace('-', "")).as_deref() == project;
    let bits = |value: &Value| value.as_u64().unwrap_or_default();
    if own(&perms["owner"]) {
        return bits(&perms["owner_access"]);
    }
    if access == Access::Delete {
        return 0;
    }
    let shares = perms["share"].as_array().into_iter().flatten();
    let shared = shares.filter(|share| {
        let tenant = &share["tenant"];
        // There is one domain.
        own(tenant) || tenant.as_str().is_some_and(|t| t.starts_with("domain:"))
    });
    let shared = shared.fold(0, |all, share| all | bits(&share["tenant_access"]));
    shared | bits(&perms["global_access"])
}
