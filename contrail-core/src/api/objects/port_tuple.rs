//! Port tuples: the ports that form one instance of a service.

use serde::{Deserialize, Serialize};

use crate::api::lenient::null_as_default;
use crate::api::meta::{Meta, Rest};
use crate::api::reference::Ref;
use crate::resource;
use crate::values::FqName;

/// A port tuple, named `domain:project:service instance:name`. The ports refer to it; several tuples
/// of one service instance share its traffic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PortTuple {
    /// Name, id and what else every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// The ports; only read, and only when asked for.
    #[serde(default, skip_serializing, deserialize_with = "null_as_default")]
    pub virtual_machine_interface_back_refs: Vec<Ref>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl PortTuple {
    /// A port tuple that shall be created.
    pub fn new(fq_name: FqName) -> Self {
        Self {
            meta: Meta::child_of("service-instance", fq_name),
            virtual_machine_interface_back_refs: Vec::new(),
            rest: Rest::new(),
        }
    }
}

resource!(PortTuple, "port-tuple", parent "service-instance");
