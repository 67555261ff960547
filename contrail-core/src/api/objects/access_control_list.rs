//! Access control lists: what a network's policies mean for its packets. The controller makes them; here
//! they are only read.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::lenient::{empty_as_none, null_as_default};
use crate::api::meta::Meta;
use crate::resource;

/// The access control list of a network, named `domain:project:network:network`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessControlList {
    /// Name, id and what else every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// The rules.
    #[serde(
        rename = "access_control_list_entries",
        default,
        deserialize_with = "null_as_default"
    )]
    pub entries: AclEntries,
}

/// The rules of an access control list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AclEntries {
    /// The rules, in the order in which they are looked at.
    #[serde(default, deserialize_with = "null_as_default")]
    pub acl_rule: Vec<AclRule>,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AclRule {
    /// The id of the policy's rule that it was made from.
    #[serde(default, deserialize_with = "empty_as_none")]
    pub rule_uuid: Option<Uuid>,
    /// Which packets it means.
    #[serde(default, deserialize_with = "null_as_default")]
    pub match_condition: AclMatch,
    /// What happens to them.
    #[serde(default, deserialize_with = "null_as_default")]
    pub action_list: AclAction,
}

/// Which packets a rule means; protocol and ports are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AclMatch {
    /// Where they come from.
    #[serde(default, deserialize_with = "null_as_default")]
    pub src_address: AclAddress,
    /// Where they go to.
    #[serde(default, deserialize_with = "null_as_default")]
    pub dst_address: AclAddress,
}

/// One side of a rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AclAddress {
    /// A network, `domain:project:name`, or `any`.
    #[serde(default)]
    pub virtual_network: Option<String>,
}

/// What happens to the packets that a rule means.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AclAction {
    /// The routing instance that they continue in, `domain:project:network:name`: the way into a service
    /// chain.
    #[serde(default)]
    pub assign_routing_instance: Option<String>,
}

resource!(AccessControlList, "access-control-list", parent "virtual-network");
