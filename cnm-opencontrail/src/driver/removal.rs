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
        let gone = self.finish_removal(id, &entry, end);
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
    /// end was never told. One that stays does not hold up the others.
    fn delete_endpoints_of(&self, network: &NetworkId, end: Deadline) -> Result<()> {
        let mut done = Vec::new();
        for (id, entry) in self.store.endpoints()? {
            if entry.network.as_ref() == Some(network) {
                done.push(self.remove_endpoint(&id, end).map(drop));
            }
        }
        done.into_iter().collect()
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
            if entry.unfinished {
                done.push(self.tidy_endpoint(&id));
            }
        }
        for (id, entry) in self.store.networks()? {
            if entry.deleted {
                done.push(self.tidy_network(&id, end));
            }
        }
        done.into_iter().collect()
    }

    /// Removes an endpoint if it is unfinished and nobody is at it.
    fn tidy_endpoint(&self, id: &EndpointId) -> Result<()> {
        let Some(_tidying) = self.making.begin_at_once(id.as_str()) else {
            return Ok(());
        };
        match self.store.endpoint(id)? {
            Some(entry) if entry.unfinished => self.take_away(id, entry).map(drop),
            _ => Ok(()),
        }
    }

    /// Removes a network if it has to go and nobody is at it.
    fn tidy_network(&self, id: &NetworkId, end: Deadline) -> Result<()> {
        let Some(_tidying) = self.making.begin_at_once(id.as_str()) else {
            return Ok(());
        };
        match self.store.network(id)? {
            Some(entry) if entry.deleted => self.finish_removal(id, &entry, end),
            _ => Ok(()),
        }
    }

    /// Takes away what an entry stands for, and the entry.
    pub(super) fn finish_removal(
        &self,
        id: &NetworkId,
        entry: &NetworkEntry,
        end: Deadline,
    ) -> Result<()> {
        self.delete_endpoints_of(id, end)?;
        match entry.uuid.is_nil() {
            true => self.abandon_unnoted(id, entry, end)?,
            false => self.try_abandon(id, entry, end)?,
        }
        self.store.remove_network(id)
    }

    /// Takes away what a creation has made that did not come far enough to note it.
    fn abandon_unnoted(&self, id: &NetworkId, entry: &NetworkEntry, end: Deadline) -> Result<()> {
        let Some(network) = self.lookup(&entry.wanted.options.target, end)? else {
            return Ok(());
        };
        if network.meta.annotations.get(&self.mark(id)).is_none() {
            return Ok(());
        }
        let made = self.entry_of(id, entry.wanted.clone(), &network)?;
        self.try_abandon(id, &made, end)
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
