//! Routing instances: the tables of a network. The controller makes them; here they are only read.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::api::lenient::{empty_as_none, null_as_default};
use crate::api::meta::{Meta, Rest};
use crate::api::reference::Ref;
use crate::resource;

/// A routing instance, named `domain:project:network:name`. A network has one of its own name; a service
/// chain adds one for each service in each network, `service-<id of the chain>-<service instance>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoutingInstance {
    /// Name, id and what else every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// How IPv4 routes of the far network enter this instance.
    #[serde(
        rename = "service_chain_information",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub service_chain: Option<ServiceChainInformation>,
    /// How IPv6 routes of the far network enter this instance.
    #[serde(
        rename = "ipv6_service_chain_information",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub service_chain_v6: Option<ServiceChainInformation>,
    /// The instances that this one exchanges routes with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub routing_instance_refs: Vec<Ref>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// How routes of the far network enter a routing instance of a service: with the service as next hop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceChainInformation {
    /// The prefixes of the far network.
    #[serde(default, deserialize_with = "null_as_default")]
    pub prefix: Vec<String>,
    /// The address that all members of the service share on this side.
    #[serde(default, deserialize_with = "empty_as_none")]
    pub service_chain_address: Option<IpAddr>,
    /// The service instance, `domain:project:name`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub service_instance: String,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

resource!(RoutingInstance, "routing-instance", parent "virtual-network");
