//! Removing endpoints, whatever state they are in.

use contrail_core::Deadline;
use contrail_core::error::{counted, report};

use super::network_driver::NetworkDriver;
use super::store::EndpointEntry;
use crate::error::Result;
use crate::plugin::PATIENCE;
use crate::proto::{EndpointId, Reply};
use crate::stage::Stage;

impl NetworkDriver {
    /// `NetworkDriver.Leave`. Docker continues whatever the answer is.
    ///
    /// # Errors
    /// If a removal could neither be completed nor deferred.
    pub fn leave(&self, id: &EndpointId) -> Result<Reply> {
        let _lock = self.locks.lock(id.as_str(), Deadline::after(PATIENCE))?;
        let entry = self.store.endpoint(id)?.unwrap_or_default();
        let mut deferred = 0;
        for attacher in self.attachers_of(&entry) {
            deferred += attacher.leave_endpoint(id.as_str())?.deferred;
        }
        warn_of_deferred(id, deferred);
        Ok(Reply::Done {})
    }

    /// `NetworkDriver.DeleteEndpoint`: also removes what [`NetworkDriver::leave`] does, since some engines
    /// do not send that after a failed join.
    ///
    /// # Errors
    /// If a removal could neither be completed nor deferred.
    pub fn delete_endpoint(&self, id: &EndpointId) -> Result<Reply> {
        let end = Deadline::after(PATIENCE);
        let deferred = self.remove_endpoint(id, end)?;
        if deferred == 0 {
            // The controller and the agent answer: complete the deferred removals.
            self.attacher.work_off_pending(end);
        }
        Ok(Reply::Done {})
    }

    /// Removes an endpoint, whatever state it is in. Returns how many removals were deferred.
    pub(super) fn remove_endpoint(&self, id: &EndpointId, end: Deadline) -> Result<usize> {
        // Before waiting for the lock: its holder, most likely a Join, keeps the stage.
        self.mark_removing(id)?;
        let _lock = self.locks.lock(id.as_str(), end)?;
        let known = self.mark_removing(id)?;
        self.remove_recorded(id, known.unwrap_or_default())
    }

    /// Records that an endpoint is to be removed; returns what was known of it. Docker asks once: what can
    /// be removed is removed, even if nothing can be recorded.
    fn mark_removing(&self, id: &EndpointId) -> Result<Option<EndpointEntry>> {
        let known = self.store.endpoint(id)?;
        if let Some(entry) = known.clone().filter(|entry| !entry.stage.is_incomplete()) {
            let entry = EndpointEntry {
                stage: Stage::Removing,
                ..entry
            };
            if let Err(error) = self.store.put_endpoint(id, &entry) {
                log::warn!(
                    "endpoint {}: cannot record its removal: {}",
                    id.short(),
                    report(&error)
                );
            }
        }
        Ok(known)
    }

    /// Removes what exists of an endpoint, and its entry. What could not be removed is in the queue of
    /// deferred removals; if even that failed, the entry remains for the next tidying up, since Docker does
    /// not ask a second time. The caller has locked the endpoint.
    ///
    /// # Errors
    /// If a removal could neither be completed nor deferred.
    pub(super) fn remove_recorded(&self, id: &EndpointId, entry: EndpointEntry) -> Result<usize> {
        let reserved: Vec<_> = entry.addresses.iter().filter_map(|(_, ip)| *ip).collect();
        let mut deferred = 0;
        for attacher in self.attachers_of(&entry) {
            let done = attacher.delete_endpoint(id.as_str(), entry.vm, &reserved)?;
            deferred += done.deferred;
        }
        self.store.remove_endpoint(id)?;
        warn_of_deferred(id, deferred);
        Ok(deferred)
    }
}

fn warn_of_deferred(id: &EndpointId, deferred: usize) {
    if deferred > 0 {
        let id = id.short();
        let removals = counted(deferred, "removal");
        log::warn!("endpoint {id}: deferred {removals} until the controller and the agent answer");
    }
}
