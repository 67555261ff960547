//! Network IPAMs: what a virtual network's subnets hang on.

use serde::{Deserialize, Serialize};

use super::subnet::IpamSubnet;
use crate::api::lenient::null_as_default;
use crate::api::meta::{Meta, Rest};
use crate::resource;
use crate::values::FqName;

/// An IPAM, named `domain:project:name`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkIpam {
    /// Name, id and what else every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// The subnets of a "flat" IPAM, which all networks that refer to it share; other IPAMs have
    /// none, their subnets hang on the link from the network.
    #[serde(
        default,
        skip_serializing_if = "IpamSubnets::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub ipam_subnets: IpamSubnets,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A list of subnets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IpamSubnets {
    /// The subnets, in the order in which addresses are taken from them.
    #[serde(default, deserialize_with = "null_as_default")]
    pub subnets: Vec<IpamSubnet>,
}

impl IpamSubnets {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.subnets.is_empty()
    }
}

impl NetworkIpam {
    /// The IPAM that every installation has and every tenant may use:
    /// `default-domain:default-project:default-network-ipam`.
    pub fn default_name() -> FqName {
        FqName::new(["default-domain", "default-project", "default-network-ipam"])
    }

    /// An IPAM that shall be created.
    pub fn new(fq_name: FqName) -> Self {
        Self {
            meta: Meta::child_of("project", fq_name),
            ipam_subnets: IpamSubnets::default(),
            rest: Rest::new(),
        }
    }
}

resource!(NetworkIpam, "network-ipam", parent "project");
