//! Security groups: what may pass to and from the ports that refer to them.

use serde::{Deserialize, Serialize};

use super::policy_rule::PolicyEntries;
use crate::api::lenient::null_as_default;
use crate::api::meta::{Meta, Rest};
use crate::resource;
use crate::values::FqName;

/// A security group, named `domain:project:name`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Name, id and what else every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// The rules; one side of each is the group itself, `local`.
    #[serde(
        rename = "security_group_entries",
        default,
        skip_serializing_if = "PolicyEntries::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub entries: PolicyEntries,
    /// The number that the API gave the group; only read.
    #[serde(default, skip_serializing)]
    pub security_group_id: Option<u64>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl SecurityGroup {
    /// A group that shall be created.
    pub fn new(fq_name: FqName, entries: PolicyEntries) -> Self {
        Self {
            meta: Meta::child_of("project", fq_name),
            entries,
            security_group_id: None,
            rest: Rest::new(),
        }
    }
}

resource!(SecurityGroup, "security-group", parent "project");
