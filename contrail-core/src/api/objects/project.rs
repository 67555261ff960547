//! Projects: the tenants that networks and ports belong to.

use serde::{Deserialize, Serialize};

use crate::api::meta::{Meta, Rest};
use crate::resource;
use crate::values::FqName;

/// A project, named `domain:project`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// Name, id and what else every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl Project {
    /// A project that shall be created.
    pub fn new(fq_name: FqName) -> Self {
        Self {
            meta: Meta::child_of("domain", fq_name),
            rest: Rest::new(),
        }
    }
}

resource!(Project, "project", parent "domain");
