//! Virtual machines: what a container is to the controller.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::lenient::null_as_default;
use crate::api::meta::{Meta, Rest};
use crate::api::reference::Ref;
use crate::resource;
use crate::values::FqName;

/// A virtual machine. By convention its name is its id; people read the display name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VirtualMachine {
    /// Name, id and what else every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// `container`, where the server knows the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_type: Option<String>,
    /// The interfaces of this machine; only read, and only when asked for.
    #[serde(default, skip_serializing, deserialize_with = "null_as_default")]
    pub virtual_machine_interface_back_refs: Vec<Ref>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl VirtualMachine {
    /// A machine for a container that shall be created under this id, which is also its name.
    pub fn new(uuid: Uuid) -> Self {
        let meta = Meta::new(FqName::new([uuid.to_string()])).with_id(uuid);
        Self {
            meta,
            server_type: Some("container".to_owned()),
            virtual_machine_interface_back_refs: Vec::new(),
            rest: Rest::new(),
        }
    }
}

resource!(VirtualMachine, "virtual-machine");
