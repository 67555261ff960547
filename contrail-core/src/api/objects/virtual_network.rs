//! Virtual networks and their subnets.

use serde::{Deserialize, Serialize};

use super::network_policy::PolicyLink;
use super::subnet::IpamSubnet;
use crate::api::lenient::null_as_default;
use crate::api::meta::{Meta, Rest};
use crate::api::reference::Ref;
use crate::resource;
use crate::values::FqName;

/// A virtual network, named `domain:project:name`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VirtualNetwork {
    /// Name, id and what else every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// The IPAMs, each with the subnets that hang on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub network_ipam_refs: Vec<Ref<VnSubnets>>,
    /// The policies that apply to the network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub network_policy_refs: Vec<Ref<PolicyLink>>,
    /// The route targets that are both imported and exported: `target:64512:100`.
    #[serde(
        default,
        skip_serializing_if = "RouteTargets::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub route_target_list: RouteTargets,
    /// From which subnets the API takes addresses first, or only: `flat-subnet-only`,
    /// `flat-subnet-preferred`, `user-defined-subnet-only` or `user-defined-subnet-preferred`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_allocation_mode: Option<String>,
    /// The ports of the network; only read, and only when asked for.
    #[serde(default, skip_serializing, deserialize_with = "null_as_default")]
    pub virtual_machine_interface_back_refs: Vec<Ref>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A list of route targets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteTargets {
    /// The targets as text.
    #[serde(default, deserialize_with = "null_as_default")]
    pub route_target: Vec<String>,
}

impl RouteTargets {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.route_target.is_empty()
    }
}

/// The data of the link from a network to an IPAM.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VnSubnets {
    /// The subnets; the first one of a family hands out addresses first.
    #[serde(default, deserialize_with = "null_as_default")]
    pub ipam_subnets: Vec<IpamSubnet>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl VirtualNetwork {
    /// A network that shall be created, with subnets on one IPAM. It should keep no id: the name
    /// then decides which of several creators wins.
    pub fn new(fq_name: FqName, ipam: FqName, subnets: Vec<IpamSubnet>) -> Self {
        let subnets = VnSubnets {
            ipam_subnets: subnets,
            rest: Rest::new(),
        };
        Self {
            meta: Meta::child_of("project", fq_name),
            network_ipam_refs: vec![Ref::named(ipam).with_attr(subnets)],
            network_policy_refs: Vec::new(),
            route_target_list: RouteTargets::default(),
            address_allocation_mode: None,
            virtual_machine_interface_back_refs: Vec::new(),
            rest: Rest::new(),
        }
    }

    /// The subnets of the network itself. Those of flat IPAMs are not among them: see
    /// [`Client::subnets_of`](crate::api::Client::subnets_of).
    pub fn subnets(&self) -> impl Iterator<Item = &IpamSubnet> {
        self.network_ipam_refs.iter().flat_map(Ref::subnets)
    }
}

impl Ref<VnSubnets> {
    /// The subnets that the link has itself.
    pub fn subnets(&self) -> impl Iterator<Item = &IpamSubnet> {
        let all = self.attr.iter().flat_map(|attr| &attr.ipam_subnets);
        all.filter(|subnet| subnet.prefix().is_some())
    }
}

resource!(VirtualNetwork, "virtual-network", parent "project");
