//! Network policies: what may pass between virtual networks, and through which services.

use serde::{Deserialize, Serialize};

use super::policy_rule::PolicyEntries;
use crate::api::lenient::null_as_default;
use crate::api::meta::{Meta, Rest};
use crate::api::reference::Ref;
use crate::resource;
use crate::values::FqName;

/// A policy, named `domain:project:name`. It has an effect on the networks that refer to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkPolicy {
    /// Name, id and what else every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// The rules.
    #[serde(
        rename = "network_policy_entries",
        default,
        skip_serializing_if = "PolicyEntries::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub entries: PolicyEntries,
    /// The networks that it is attached to; only read, and only when asked for.
    #[serde(default, skip_serializing, deserialize_with = "null_as_default")]
    pub virtual_network_back_refs: Vec<Ref<PolicyLink>>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl NetworkPolicy {
    /// A policy that shall be created.
    pub fn new(fq_name: FqName, entries: PolicyEntries) -> Self {
        Self {
            meta: Meta::child_of("project", fq_name),
            entries,
            virtual_network_back_refs: Vec::new(),
            rest: Rest::new(),
        }
    }

    /// Whether a rule sends packets through the service instance of this name.
    pub fn sends_through(&self, instance: &str) -> bool {
        let rules = self.entries.policy_rule.iter();
        let mut actions = rules.filter_map(|rule| rule.action_list.as_ref());
        actions.any(|action| action.apply_service.iter().any(|name| name == instance))
    }
}

/// The data of the link from a network to a policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicyLink {
    /// The place among the network's policies. Without one the controller may leave the policy out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl PolicyLink {
    /// The link of a policy in this place.
    pub fn at(sequence: Sequence) -> Self {
        Self {
            sequence: Some(sequence),
            rest: Rest::new(),
        }
    }
}

/// A place in an order: lower ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sequence {
    /// What counts first.
    #[serde(default)]
    pub major: i32,
    /// What decides between equal ones.
    #[serde(default)]
    pub minor: i32,
}

impl std::fmt::Display for Sequence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

resource!(NetworkPolicy, "network-policy", parent "project");
