//! Route targets: the communities by which networks exchange routes.

use serde::{Deserialize, Serialize};

use crate::api::meta::{Meta, Rest};
use crate::resource;
use crate::values::FqName;

/// A route target. Its name is one part with colons inside: `target:64512:100`. The controller makes
/// these objects itself from the lists in virtual networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteTarget {
    /// Name, id and what else every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl RouteTarget {
    /// A route target that shall be created.
    pub fn new(fq_name: FqName) -> Self {
        Self {
            meta: Meta::new(fq_name),
            rest: Rest::new(),
        }
    }
}

resource!(RouteTarget, "route-target");
