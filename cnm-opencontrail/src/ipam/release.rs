//! Releasing: addresses and pools that Docker has given back, at once or when the API answers again.

use std::net::IpAddr;

use contrail_core::Deadline;
use contrail_core::error::report;
use uuid::Uuid;

use super::ipam_driver::Ipam;
use super::network;
use super::store::AddressEntry;
use crate::error::Result;
use crate::network_users;
use crate::plugin::PATIENCE;
use crate::stage::Stage;

impl Ipam {
    /// Completes what could not be completed when Docker asked for it: releases addresses and removes
    /// networks. What fails again remains for the next time.
    pub fn tidy(&self) {
        self.tidy_until(Deadline::after(PATIENCE));
    }

    /// How many addresses are being requested or released, or remain from an interrupted call, and how
    /// many pools have no holder.
    pub fn incomplete(&self) -> usize {
        let index = self.store.lock();
        let addresses = index
            .addresses()
            .filter(|entry| entry.stage.is_incomplete());
        let pools = index.pools().filter(|pool| pool.holders == 0);
        addresses.count() + pools.count()
    }

    pub(super) fn tidy_until(&self, end: Deadline) {
        let addresses = self.release_addresses(|_| true, end);
        for done in [addresses, self.remove_pools(end)] {
            if let Err(error) = done {
                log::warn!(
                    "IPAM: removals deferred until the configuration API answers: {}",
                    report(&error)
                );
            }
        }
    }

    /// Removes the pools without holders. A failure does not hold up the others.
    fn remove_pools(&self, end: Deadline) -> Result<()> {
        let unheld: Vec<String> = {
            let index = self.store.lock();
            let unheld = index.pools().filter(|pool| pool.holders == 0);
            unheld.map(|pool| pool.id.clone()).collect()
        };
        let done: Vec<Result<()>> = unheld
            .into_iter()
            .map(|id| self.remove_pool(&id, end))
            .collect();
        done.into_iter().collect()
    }

    /// Removes a pool, unless it has holders or a call has locked it.
    fn remove_pool(&self, id: &str, end: Deadline) -> Result<()> {
        let Some(_lock) = self.locks.try_lock(id) else {
            return Ok(());
        };
        let entry = self.store.lock().pool(id).cloned();
        let Some(entry) = entry.filter(|entry| entry.holders == 0) else {
            return Ok(());
        };
        let keys = self.user_keys(id);
        if let Some(facts) = entry.network {
            self.release_all_of(id)?;
            self.release_addresses(|address| address.pool == id, end)?;
            network_users::unregister(&self.attacher, facts.network, &keys, end)?;
        } else if entry.begun
            && let Some(network) = network::registered(&self.attacher, &id.parse()?, &keys, end)?
        {
            network_users::unregister(&self.attacher, network, &keys, end)?;
        }
        self.store.lock().remove_pool(id)
    }

    /// Marks all addresses of a pool as released: Docker has released the pool, so it will not release them.
    fn release_all_of(&self, pool: &str) -> Result<()> {
        let mut index = self.store.lock();
        let of_pool = index.addresses().filter(|entry| entry.pool == pool);
        let left: Vec<AddressEntry> = of_pool.cloned().collect();
        for entry in left {
            index.put_address(AddressEntry {
                stage: Stage::Removing,
                ..entry
            })?;
        }
        Ok(())
    }

    /// Releases those of the addresses that Docker has given back.
    fn release_addresses(
        &self,
        is_meant: impl Fn(&AddressEntry) -> bool,
        end: Deadline,
    ) -> Result<()> {
        let is_released = |entry: &AddressEntry| entry.stage == Stage::Removing && is_meant(entry);
        let released: Vec<Uuid> = {
            let index = self.store.lock();
            let released = index.addresses().filter(|entry| is_released(entry));
            released.map(|entry| entry.id).collect()
        };
        // A failure must not hold up the others.
        let results: Vec<Result<()>> = released
            .into_iter()
            .map(|id| self.release_one(id, end))
            .collect();
        results.into_iter().collect()
    }

    fn release_one(&self, id: Uuid, end: Deadline) -> Result<()> {
        self.attacher.release_address(id, end)?;
        self.store.lock().remove_address(id)
    }

    /// Completes a deferred release of an address before it is requested again.
    pub(super) fn finish_release(
        &self,
        network: Uuid,
        address: IpAddr,
        end: Deadline,
    ) -> Result<()> {
        let known = self.store.lock().address(network, address).cloned();
        match known.filter(|entry| entry.stage == Stage::Removing) {
            Some(entry) => self.release_one(entry.id, end),
            None => Ok(()),
        }
    }

    /// Marks an address as released: the API may have reserved it, or not.
    pub(super) fn mark_released(&self, entry: AddressEntry) -> Result<()> {
        self.store.lock().put_address(AddressEntry {
            stage: Stage::Removing,
            ..entry
        })
    }
}
