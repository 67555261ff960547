//! Virtual networks and their subnets.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::PolicyLink;
use crate::api::resource::{Meta, Ref, Rest, empty_as_none, null_as_default, resource};
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

/// An address range in CIDR form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    /// The network address.
    pub ip_prefix: IpAddr,
    /// The length of the prefix.
    pub ip_prefix_len: u8,
}

/// A subnet of a virtual network, with what the API reserves in it.
///
/// An update must send back what was read: a subnet without its id gets a new one, which cuts it off
/// from the addresses in use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IpamSubnet {
    /// The range. Absent, or `0.0.0.0/0`, in a link to an IPAM with the method `flat-subnet`: that has
    /// the subnets itself, and the link has no more than an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<Subnet>,
    /// The gateway; the API chooses the last address but one (the first, with `addr_from_start`).
    /// `0.0.0.0` means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "empty_as_none")]
    pub default_gateway: Option<IpAddr>,
    /// The address at which the vRouter answers DNS; the API chooses the neighbour of the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "empty_as_none")]
    pub dns_server_address: Option<IpAddr>,
    /// The id of the subnet, chosen by the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet_uuid: Option<Uuid>,
    /// Hand out addresses from the start of the range upwards instead of from its end downwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addr_from_start: Option<bool>,
    /// Whether DHCP answers; absent means yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_dhcp: Option<bool>,
    /// The parts of the range from which addresses are handed out; none means all of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub allocation_pools: Vec<AllocationPool>,
    /// DNS servers for DHCP, instead of the vRouter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub dns_nameservers: Vec<String>,
    /// Routes for the hosts of the subnet.
    #[serde(default, skip_serializing_if = "HostRoutes::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub host_routes: HostRoutes,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A part of a subnet, both ends included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AllocationPool {
    /// The first address.
    pub start: IpAddr,
    /// The last address.
    pub end: IpAddr,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// Routes for the hosts of a subnet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostRoutes {
    /// The routes.
    #[serde(default, deserialize_with = "null_as_default")]
    pub route: Vec<HostRoute>,
}

impl HostRoutes {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.route.is_empty()
    }
}

/// One route for the hosts of a subnet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostRoute {
    /// The destination in CIDR form.
    pub prefix: String,
    /// The router.
    #[serde(default, deserialize_with = "null_as_default")]
    pub next_hop: String,
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
            meta: Meta::new(fq_name, "project"),
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

impl IpamSubnet {
    /// A subnet of which the API chooses everything but the range.
    pub fn new(range: IpNetwork) -> Self {
        Self {
            subnet: Some(Subnet {
                ip_prefix: range.network(),
                ip_prefix_len: range.prefix(),
            }),
            default_gateway: None,
            dns_server_address: None,
            subnet_uuid: None,
            addr_from_start: None,
            enable_dhcp: None,
            allocation_pools: Vec::new(),
            dns_nameservers: Vec::new(),
            host_routes: HostRoutes::default(),
            rest: Rest::new(),
        }
    }

    /// The range; none in a link to a flat IPAM, and where the length does not fit the family.
    pub fn prefix(&self) -> Option<IpNetwork> {
        let subnet = self.subnet.filter(|subnet| subnet.ip_prefix_len > 0)?;
        IpNetwork::new(subnet.ip_prefix, subnet.ip_prefix_len).ok()
    }

    /// The gateway, without the zero address that stands for none.
    pub fn gateway(&self) -> Option<IpAddr> {
        self.default_gateway.filter(|ip| !ip.is_unspecified())
    }

    /// The vRouter's DNS address, without the zero address that stands for none.
    pub fn dns(&self) -> Option<IpAddr> {
        self.dns_server_address.filter(|ip| !ip.is_unspecified())
    }
}

resource!(VirtualNetwork, "virtual-network", parent "project");
