//! The subnets of virtual networks and IPAMs.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::lenient::{empty_as_none, null_as_default};
use crate::api::meta::Rest;

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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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

impl IpamSubnet {
    /// A subnet of which the API chooses everything but the range.
    pub fn new(range: IpNetwork) -> Self {
        Self {
            subnet: Some(Subnet {
                ip_prefix: range.network(),
                ip_prefix_len: range.prefix(),
            }),
            ..Self::default()
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
