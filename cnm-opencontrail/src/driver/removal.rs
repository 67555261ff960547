//! The end of Docker networks: on Docker's request, or because what was made or removed half-way is left.

use contrail_core::Deadline;
use contrail_core::error::report;

use super::store::NetworkEntry;
use super::{NetworkDriver, PATIENCE};
use crate::error::Result;
use crate::proto::{EndpointId, NetworkId, Reply};
use crate::users;

impl NetworkDriver {
    /// `NetworkDriver.DeleteNetwork`. Docker forgets the network whatever the answer is.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn delete_network(&self, id: &NetworkId) -> Result<Reply> {
        let end = Deadline::after(PATIENCE);
        let _going = self.making.begin(id.as_str(), end)?;
        let entry = match self.store.network(id)? {
            Some(entry) => Some(entry),
            None => self.recover(id, end)?,
        };
        let Some(entry) = entry else {
            return Ok(Reply::Done {});
        };
        let deleted = true;
        let entry = NetworkEntry { deleted, ..entry };
        // Docker asks once: what can be removed is, also where nothing can be noted.
        if let Err(error) = self.store.put_network(id, &entry) {
            log::warn!("{}", report(&error));
        }
        let gone = self
            .delete_endpoints_of(id)
            .and_then(|()| self.finish_removal(id, &entry, end));
        if let Err(error) = gone {
            log::warn!(
                "virtual network {} waits for the controller: {}",
                entry.name,
                report(&error)
            );
        }
        Ok(Reply::Done {})
    }

    /// Docker deletes a network after its endpoints: what is still known of them was interrupted, or their
    /// end was never told.
    fn delete_endpoints_of(&self, network: &NetworkId) -> Result<()> {
        for (id, entry) in self.store.endpoints()? {
            if entry.network.as_ref() == Some(network) {
                self.delete_endpoint(&id)?;
            }
        }
        Ok(())
    }

    /// Removes what could not be removed when Docker deleted its network, and what creations have left
    /// that were interrupted by the end of this program.
    ///
    /// # Errors
    /// The first failure; what fails stays for the next time, and does not hold up the others.
    pub fn tidy(&self) -> Result<()> {
        let end = Deadline::after(PATIENCE);
        let mut done = Vec::new();
        for (id, entry) in self.store.endpoints()? {
            if entry.unfinished && self.is_left(&id)? {
                done.push(self.delete_endpoint(&id).map(|_| ()));
            }
        }
        for (id, entry) in self.store.networks()? {
            if let Some(entry) = self.left_of(&id)?.filter(|_| entry.deleted) {
                done.push(self.finish_removal(&id, &entry, end));
            }
        }
        done.into_iter().collect()
    }

    /// Whether an endpoint is unfinished and nobody is at it. In this order: whoever was at it has written
    /// how it ended before leaving it.
    fn is_left(&self, id: &EndpointId) -> Result<bool> {
        if self.making.contains(id.as_str()) {
            return Ok(false);
        }
        let entry = self.store.endpoint(id)?;
        Ok(entry.is_some_and(|entry| entry.unfinished))
    }

    /// The entry of a network that has to go, when nobody is at it.
    fn left_of(&self, id: &NetworkId) -> Result<Option<NetworkEntry>> {
        if self.making.contains(id.as_str()) {
            return Ok(None);
        }
        Ok(self.store.network(id)?.filter(|entry| entry.deleted))
    }

    /// What a creation has made that did not come far enough to note it.
    fn unnoted(
        &self,
        id: &NetworkId,
        entry: &NetworkEntry,
        end: Deadline,
    ) -> Result<Option<NetworkEntry>> {
        let Some(network) = self.lookup(&entry.wanted.options.target, end)? else {
            return Ok(None);
        };
        let is_marked = network.meta.annotations.get(&self.mark(id)).is_some();
        let made = || self.entry_of(id, entry.wanted.clone(), &network);
        is_marked.then(made).transpose()
    }

    /// Takes away what an entry stands for, and the entry.
    pub(super) fn finish_removal(
        &self,
        id: &NetworkId,
        entry: &NetworkEntry,
        end: Deadline,
    ) -> Result<()> {
        if !entry.uuid.is_nil() {
            self.try_abandon(id, entry, end)?;
        } else if let Some(made) = self.unnoted(id, entry, end)? {
            self.try_abandon(id, &made, end)?;
        }
        self.store.remove_network(id)
    }

    /// Gives the auxiliary addresses back and removes the virtual network if nobody uses it.
    pub(super) fn abandon(&self, id: &NetworkId, entry: &NetworkEntry, end: Deadline) {
        let done = self.try_abandon(id, entry, end);
        if let Err(error) = done {
            log::error!(
                "virtual network {} may be left over: {}",
                entry.name,
                report(&error)
            );
        }
    }

    fn try_abandon(&self, id: &NetworkId, entry: &NetworkEntry, end: Deadline) -> Result<()> {
        for ip in &entry.auxiliary {
            self.attacher.release_address(*ip, end)?;
        }
        Ok(users::leave(
            &self.attacher,
            entry.uuid,
            &self.mark(id),
            end,
        )?)
    }
}
