//! Keeping running containers connected: restores ports that the agent has lost, and objects that the API has
//! lost.

use contrail_core::Deadline;
use contrail_core::attach::Kept;
use contrail_core::error::{Layered, report};

use super::endpoint::is_network_gone;
use super::network_driver::NetworkDriver;
use super::store::{EndpointEntry, NetworkEntry};
use crate::error::{Error, Result};
use crate::plugin::PATIENCE;
use crate::proto::EndpointId;

impl NetworkDriver {
    /// Checks every endpoint that has joined, and restores what is missing. If nothing is, this costs one
    /// request to the agent for each, and requests to the API only for those with a role in a service.
    pub fn keep(&self) {
        let endpoints = self.store.endpoints().unwrap_or_else(|error| {
            log::warn!("cannot check the endpoints: {}", report(&error));
            Vec::new()
        });
        for (id, entry) in &endpoints {
            match self.keep_endpoint(id, entry) {
                Ok(()) => {}
                // The checks of all others would fail, too.
                Err(error) if is_down(&error) => {
                    return log::debug!("checking the endpoints later: {}", report(&error));
                }
                Err(error) => {
                    log::error!(
                        "endpoint {}: cannot keep it connected: {}",
                        id.short(),
                        report(&error)
                    );
                }
            }
        }
        self.keep_services(&endpoints);
    }

    fn keep_endpoint(&self, id: &EndpointId, entry: &EndpointEntry) -> Result<()> {
        let (Some(vm), Some(network_id)) = (entry.vm, &entry.network) else {
            return Ok(());
        };
        if entry.stage.is_incomplete() {
            return Ok(());
        }
        let network = self.store.network(network_id)?;
        let Some(network) = network.and_then(NetworkEntry::live) else {
            return Ok(());
        };
        let is_wanted = || matches!(self.store.endpoint(id), Ok(Some(now)) if now == *entry);
        let endpoint = self.endpoint(id, &network, entry);
        let attacher = self.attacher_of(entry);
        let kept = match attacher.keep_endpoint(&endpoint, vm, is_wanted) {
            Err(error) if is_network_gone(&error) => {
                let network =
                    self.establish_again(network_id, &network, Deadline::after(PATIENCE))?;
                let endpoint = self.endpoint(id, &network, entry);
                attacher.keep_endpoint(&endpoint, vm, is_wanted)
            }
            other => other,
        };
        let kept =
            kept.map_err(|error| self.name_holder(&network, error, Deadline::after(PATIENCE)))?;
        let (endpoint, name) = (id.short(), &network.name);
        match kept {
            Kept::PortAgain => log::warn!(
                "endpoint {endpoint} in {name}: the agent had lost its port, restored it"
            ),
            Kept::ObjectsAgain => log::warn!(
                "endpoint {endpoint} in {name}: the controller had lost its objects, restored them"
            ),
            Kept::AsItWas | Kept::Gone | Kept::Busy => {}
        }
        Ok(())
    }
}

fn is_down(error: &Error) -> bool {
    matches!(error, Error::Core(error) if error.cause().is_transient())
}
