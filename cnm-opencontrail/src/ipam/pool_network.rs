//! The virtual network of a pool as the state records it.

use std::net::IpAddr;

use contrail_core::Deadline;

use super::ipam_driver::Ipam;
use super::network;
use super::pool::Pool;
use super::store::{NetworkFacts, PoolEntry};
use crate::error::Result;

impl Ipam {
    /// What is recorded of the pool's network.
    pub(super) fn known(&self, pool: &Pool) -> Option<NetworkFacts> {
        self.store.lock().pool(&pool.to_string())?.network
    }

    /// Finds or creates the pool's network, and records it.
    ///
    /// # Errors
    /// If the network contradicts the pool, the API cannot be reached, or the state cannot be written.
    pub(super) fn ensure(
        &self,
        pool: &Pool,
        gateway: Option<IpAddr>,
        end: Deadline,
    ) -> Result<NetworkFacts> {
        let id = pool.to_string();
        let user = self.user(&id);
        let _lock = self.lock_network(&pool.network, end)?;
        self.attacher.remember_name()?;
        let entry = self.begin_network(id)?;
        let adds = entry.adds_subnet;
        let facts = network::ensure(&self.attacher, pool, gateway, adds, &user, end)?;
        let mut index = self.store.lock();
        let entry = index.pool(&entry.id).cloned().unwrap_or(entry);
        index.put_pool(PoolEntry {
            network: Some(facts),
            ..entry
        })?;
        Ok(facts)
    }

    /// Records that a pool's network is going to be created, so that it is found again if this is interrupted.
    fn begin_network(&self, id: String) -> Result<PoolEntry> {
        let mut index = self.store.lock();
        let life = index.life();
        let entry = index.pool(&id).cloned().unwrap_or(PoolEntry {
            id,
            // The state was lost: Docker holds the pool, or it would not request its addresses.
            holders: 1,
            life,
            network: None,
            begun: false,
            adds_subnet: false,
        });
        let entry = PoolEntry {
            begun: true,
            ..entry
        };
        index.put_pool(entry.clone())?;
        Ok(entry)
    }
}
