//! Keeping running containers connected: ports that the agent has forgotten, objects that the API has
//! lost.

use contrail_core::Deadline;
use contrail_core::attach::Kept;
use contrail_core::error::report;

use super::endpoint::is_network_gone;
use super::store::EndpointEntry;
use super::{NetworkDriver, PATIENCE};
use crate::error::{Error, Result};
use crate::proto::EndpointId;

impl NetworkDriver {
    /// Looks after every endpoint that has joined. Nothing is written when all is well, and the agent is
    /// asked once for each. For those with a role in a service the API is asked, too.
    pub fn keep(&self) {
        let endpoints = self.store.endpoints().unwrap_or_else(|error| {
            log::warn!("{}", report(&error));
            Vec::new()
        });
        for (id, entry) in &endpoints {
            match self.keep_endpoint(id, entry) {
                Ok(()) => {}
                // The others would wait for the same.
                Err(error) if is_down(&error) => {
                    return log::debug!("endpoints are looked after later: {}", report(&error));
                }
                Err(error) => {
                    log::error!(
                        "endpoint {} cannot be kept connected: {}",
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
        if entry.unfinished {
            return Ok(());
        }
        let Some(network) = self.store.network(network_id)? else {
            return Ok(());
        };
        let is_wanted = || matches!(self.store.endpoint(id), Ok(Some(now)) if now == *entry);
        let endpoint = self.endpoint(id, &network, entry);
        let kept = match self.attacher.keep_endpoint(&endpoint, vm, is_wanted) {
            Err(error) if is_network_gone(&error) => {
                let network =
                    self.establish_again(network_id, &network, Deadline::after(PATIENCE))?;
                let endpoint = self.endpoint(id, &network, entry);
                self.attacher.keep_endpoint(&endpoint, vm, is_wanted)
            }
            other => other,
        };
        let kept =
            kept.map_err(|error| self.name_holder(&network, error, Deadline::after(PATIENCE)))?;
        let (endpoint, name) = (id.short(), &network.name);
        match kept {
            Kept::PortAgain => log::warn!(
                "endpoint {endpoint} in {name}: the agent had lost its port and has it again"
            ),
            Kept::ObjectsAgain => log::warn!(
                "endpoint {endpoint} in {name}: the controller had lost its objects and has them again"
            ),
            Kept::AsItWas | Kept::Gone | Kept::Busy => {}
        }
        Ok(())
    }
}

fn is_down(error: &Error) -> bool {
    matches!(error, Error::Core(error) if error.cause().is_transient())
}
