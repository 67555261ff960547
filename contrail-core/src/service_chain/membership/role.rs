//! The role of a port in a service, as a value.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::objects::PortTuple;
use crate::service_chain::identified::made_id;
use crate::service_chain::template;
use crate::service_chain::types::{Leg, Mode};
use crate::values::FqName;

/// The role of a port in a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRole {
    /// The service instance.
    pub instance: FqName,
    /// Which of its interfaces the port is.
    pub interface: Leg,
    /// How the service sees packets; an existing service instance must have this mode.
    pub mode: Mode,
}

impl ServiceRole {
    /// The port tuple that the ports of a virtual machine form in the service instance: id and name.
    pub(in crate::service_chain) fn tuple(&self, machine: Uuid) -> (Uuid, FqName) {
        let name = self.instance.child(machine.to_string());
        (made_id::<PortTuple>(&name), name)
    }

    /// The name of the template that a service instance is made with which does not exist yet.
    pub(in crate::service_chain) fn template(&self, has_management: bool) -> FqName {
        template::default_name(&self.instance, self.mode, has_management)
    }
}

/// The port that takes a role. Its VM interface already exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolePort {
    /// The VM interface.
    pub interface: Uuid,
    /// The virtual machine: its ports form one port tuple.
    pub machine: Uuid,
    /// What people call the container.
    pub label: String,
}
