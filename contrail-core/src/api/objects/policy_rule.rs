//! Rules of network policies and security groups.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::subnet::Subnet;
use crate::api::lenient::null_as_default;
use crate::api::meta::Rest;

/// The rules of a policy or a security group, in the order in which they are looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicyEntries {
    /// The rules.
    #[serde(default, deserialize_with = "null_as_default")]
    pub policy_rule: Vec<PolicyRule>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl PolicyEntries {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.policy_rule.is_empty() && self.rest.is_empty()
    }
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicyRule {
    /// The id, which the API chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_uuid: Option<Uuid>,
    /// `>` from source to destination, `<>` both ways.
    #[serde(default, deserialize_with = "null_as_default")]
    pub direction: String,
    /// `any`, a name such as `tcp`, or a number.
    #[serde(default, deserialize_with = "null_as_default")]
    pub protocol: String,
    /// `IPv4` or `IPv6`; both without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ethertype: Option<String>,
    /// Where packets come from.
    #[serde(default, deserialize_with = "null_as_default")]
    pub src_addresses: Vec<PolicyAddress>,
    /// The ports that they come from.
    #[serde(default, deserialize_with = "null_as_default")]
    pub src_ports: Vec<PolicyPorts>,
    /// Where packets go to.
    #[serde(default, deserialize_with = "null_as_default")]
    pub dst_addresses: Vec<PolicyAddress>,
    /// The ports that they go to.
    #[serde(default, deserialize_with = "null_as_default")]
    pub dst_ports: Vec<PolicyPorts>,
    /// What happens to them. A network policy needs it, a security group has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_list: Option<ActionList>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// One side of a rule: exactly one of the fields is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicyAddress {
    /// A network, `domain:project:name`; `any`, or `local` for the one that the policy is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtual_network: Option<String>,
    /// A security group, `domain:project:name`; `local` for the one that the rule stands in. Only in
    /// security groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_group: Option<String>,
    /// A range of addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<Subnet>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl PolicyAddress {
    /// A side that is a network.
    pub fn network(name: impl Into<String>) -> Self {
        Self {
            virtual_network: Some(name.into()),
            ..Self::default()
        }
    }
}

/// A range of ports, both ends included; -1 to -1 stands for all, as 0 to 65535 does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyPorts {
    /// The first port.
    pub start_port: i32,
    /// The last port.
    pub end_port: i32,
}

impl PolicyPorts {
    /// Every port.
    pub const ANY: Self = Self {
        start_port: -1,
        end_port: -1,
    };
}

/// What happens to the packets that a rule means.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActionList {
    /// `pass` or `deny`. It does not count when there are services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simple_action: Option<String>,
    /// The service instances through which packets go, `domain:project:name`, from source to
    /// destination. The API does not check that they exist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub apply_service: Vec<String>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}
