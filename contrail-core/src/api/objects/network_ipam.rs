//! Network IPAMs: what a virtual network's subnets hang on.

use serde::{Deserialize, Serialize};

use crate::api::resource::{Meta, Rest, resource};
use crate::fq_name::FqName;

/// An IPAM, named `domain:project:name`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkIpam {
    /// Name, id and what else every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
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
            meta: Meta::new(fq_name, "project"),
            rest: Rest::new(),
        }
    }
}

resource!(NetworkIpam, "network-ipam", parent "project");
