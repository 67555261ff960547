//! Virtual machines: what a container is to the controller.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::lenient::null_as_default;
use crate::api::meta::{Meta, Rest};
use crate::api::reference::Ref;
use crate::resource;
use crate::values::FqName;

/// A virtual machine. By convention its name is its id; the display name is for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VirtualMachine {
    /// The fields that every object has.
    #[serde(flatten)]
    pub meta: Meta,
    /// `container`, where the server knows the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_type: Option<String>,
    /// The interfaces of this machine; read only if asked for, never written.
    #[serde(default, skip_serializing, deserialize_with = "null_as_default")]
    pub virtual_machine_interface_back_refs: Vec<Ref>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl VirtualMachine {
    /// A new machine for a container under this id, which is also its name.
    ///
    /// ```
    /// use contrail_core::api::{Resource, VirtualMachine};
    /// use uuid::Uuid;
    ///
    /// let id = Uuid::from_u128(1);
    /// let machine = VirtualMachine::new(id);
    /// assert_eq!(machine.uuid(), Some(id));
    /// assert_eq!(machine.fq_name().to_string(), id.to_string());
    /// ```
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
