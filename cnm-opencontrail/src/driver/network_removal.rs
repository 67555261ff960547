//! Removing Docker networks: on Docker's request, or because a creation or a removal was interrupted.

use contrail_core::Deadline;
use contrail_core::error::report;

use super::network_driver::NetworkDriver;
use super::store::{Network, NetworkEntry};
use super::wanted::Wanted;
use crate::error::Result;
use crate::network_users;
use crate::plugin::PATIENCE;
use crate::proto::{EndpointId, NetworkId, Reply};

impl NetworkDriver {
    /// `NetworkDriver.DeleteNetwork`. Docker forgets the network whatever the answer is.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn delete_network(&self, id: &NetworkId) -> Result<Reply> {
        let end = Deadline::after(PATIENCE);
        let _lock = self.locks.lock(id.as_str(), end)?;
        let entry = match self.store.network(id)? {
            Some(entry) => Some(entry),
            None => self.recover(id, end)?.map(NetworkEntry::Live),
        };
        let Some(entry) = entry.map(NetworkEntry::removing) else {
            return Ok(Reply::Done {});
        };
        // Docker asks once: remove what can be removed, even if that cannot be recorded.
        if let Err(error) = self.store.put_network(id, &entry) {
            log::warn!(
                "Docker network {}: cannot record its removal: {}",
                id.short(),
                report(&error)
            );
        }
        if let Err(error) = self.finish_removal(id, &entry, end) {
            log::warn!(
                "Docker network {}: removal of virtual network {} deferred: {}",
                id.short(),
                entry.label(),
                report(&error)
            );
        }
        Ok(Reply::Done {})
    }

    /// Docker deletes a network after its endpoints: those that are still recorded were interrupted, or
    /// Docker did not report their end. A failure does not hold up the others.
    fn delete_endpoints_of(&self, network: &NetworkId, end: Deadline) -> Result<()> {
        let mut done = Vec::new();
        for (id, entry) in self.store.endpoints()? {
            if entry.network.as_ref() == Some(network) {
                done.push(self.remove_endpoint(&id, end).map(drop));
            }
        }
        done.into_iter().collect()
    }

    /// Completes removals of networks and endpoints that could not be completed when Docker asked for
    /// them, and rolls back creations that were interrupted by the end of this program.
    ///
    /// # Errors
    /// The first failure; what fails remains for the next time, and does not hold up the others.
    pub fn tidy(&self) -> Result<()> {
        let end = Deadline::after(PATIENCE);
        let mut done = Vec::new();
        for (id, entry) in self.store.endpoints()? {
            if entry.stage.is_incomplete() {
                done.push(self.tidy_endpoint(&id));
            }
        }
        for (id, entry) in self.store.networks()? {
            if entry.stage().is_incomplete() {
                done.push(self.tidy_network(&id, end));
            }
        }
        done.into_iter().collect()
    }

    /// The networks and endpoints that are being created or removed, or remain from an interrupted call.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn incomplete_labels(&self) -> Result<Vec<String>> {
        let networks = self.store.networks()?.into_iter();
        let networks = networks.filter(|(_, entry)| entry.stage().is_incomplete());
        let endpoints = self.store.endpoints()?.into_iter();
        let endpoints = endpoints.filter(|(_, entry)| entry.stage.is_incomplete());
        let networks = networks.map(|(_, entry)| format!("virtual network {}", entry.label()));
        let endpoints = endpoints.map(|(id, _)| format!("endpoint {}", id.short()));
        Ok(networks.chain(endpoints).collect())
    }

    /// Removes an endpoint that is incomplete, unless a call is creating or removing it.
    fn tidy_endpoint(&self, id: &EndpointId) -> Result<()> {
        let Some(_lock) = self.locks.try_lock(id.as_str()) else {
            return Ok(());
        };
        match self.store.endpoint(id)? {
            Some(entry) if entry.stage.is_incomplete() => self.remove_recorded(id, entry).map(drop),
            _ => Ok(()),
        }
    }

    /// Removes a network that is incomplete, unless a call is creating or removing it.
    fn tidy_network(&self, id: &NetworkId, end: Deadline) -> Result<()> {
        let Some(_lock) = self.locks.try_lock(id.as_str()) else {
            return Ok(());
        };
        match self.store.network(id)? {
            Some(entry) if entry.stage().is_incomplete() => self.finish_removal(id, &entry, end),
            _ => Ok(()),
        }
    }

    /// Removes what exists of a network, and its entry. The caller has locked it.
    ///
    /// # Errors
    /// If something could not be removed: the entry remains.
    pub(super) fn finish_removal(
        &self,
        id: &NetworkId,
        entry: &NetworkEntry,
        end: Deadline,
    ) -> Result<()> {
        self.delete_endpoints_of(id, end)?;
        match entry {
            NetworkEntry::Creating(wanted) => self.abandon_creation(id, wanted, end)?,
            NetworkEntry::Live(network) | NetworkEntry::Removing(network) => {
                self.try_abandon(id, network, end)?;
            }
        }
        self.store.remove_network(id)
    }

    /// Removes what a creation has made that was interrupted before it could record the virtual network.
    fn abandon_creation(&self, id: &NetworkId, wanted: &Wanted, end: Deadline) -> Result<()> {
        let Some(found) = self.lookup(&wanted.options.target, end)? else {
            return Ok(());
        };
        let keys = self.user_keys(id);
        let annotations = &found.meta.annotations;
        if keys.iter().all(|key| annotations.get(key).is_none()) {
            return Ok(());
        }
        let network = self.network_of(id, wanted.clone(), &found)?;
        self.try_abandon(id, &network, end)
    }

    /// Releases the auxiliary addresses, and removes the virtual network with its last user. Logs a failure.
    pub(super) fn abandon(&self, id: &NetworkId, network: &Network, end: Deadline) {
        if let Err(error) = self.try_abandon(id, network, end) {
            log::error!(
                "Docker network {}: virtual network {} may be left over: {}",
                id.short(),
                network.name,
                report(&error)
            );
        }
    }

    fn try_abandon(&self, id: &NetworkId, network: &Network, end: Deadline) -> Result<()> {
        for ip in &network.auxiliary {
            self.attacher.release_address(*ip, end)?;
        }
        let keys = self.user_keys(id);
        Ok(network_users::unregister(
            &self.attacher,
            network.uuid,
            &keys,
            end,
        )?)
    }
}
