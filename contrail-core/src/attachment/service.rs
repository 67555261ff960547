//! What a container is in a service chain: its interface becomes a member of a service instance when it
//! is attached, and is taken out again before it is removed.

use std::path::Path;

use uuid::Uuid;

use super::call::{Call, Port};
use super::undo::Step;
use super::{Host, uses};
use crate::api::Client;
use crate::error::Result;
use crate::service_chain::{RolePort, ServiceRole, ServiceRoles};

/// The part that an interface plays in a service instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Which interface of which service instance it is.
    pub role: ServiceRole,
    /// Whether the container's network namespace forwards packets that come in by this interface, as
    /// a service must that has no program of its own for it.
    pub forwarding: bool,
}

impl Call<'_> {
    /// Makes the interface a member of the service instance.
    pub(super) fn serve(&self, port: &Port, service: &Service) -> Result<()> {
        let interface = port.id;
        uses::serve(&self.host.state_dir, interface, &service.role, self.vm)?;
        self.note(Step::Service { interface });
        let port = RolePort {
            interface,
            machine: self.vm,
            label: port.wanted.display_name.clone(),
        };
        ServiceRoles::new(self.client(), &self.host.owner).join(&service.role, &port)
    }
}

/// Takes the interface out of its service instance; asks nobody when it has none.
pub(super) fn leave(client: &Client, host: &Host, interface: Uuid) -> Result<bool> {
    let state_dir: &Path = &host.state_dir;
    let served = uses::served(state_dir, interface)?;
    if served.is_empty() {
        return Ok(false);
    }
    let roles = ServiceRoles::new(client.clone(), &host.owner);
    for (role, machine) in &served {
        roles.leave(role, interface, *machine)?;
    }
    uses::retire(state_dir, interface)?;
    Ok(true)
}
