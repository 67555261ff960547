//! What the IPAM driver must still know after a restart: which pools Docker holds, and which address is
//! which instance IP. In memory as one index, on disk as one entry for each.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use contrail_core::files;
use contrail_core::state::{Durability, Entries, Entry};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::error::Result;
use crate::stage::Stage;

/// A pool that Docker holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PoolEntry {
    /// Its id.
    pub(super) id: String,
    /// How often it has been requested and not released, in this life of the engine.
    pub(super) holders: u32,
    /// The life of the engine in which it was last requested.
    pub(super) life: u64,
    /// Its virtual network, once that was needed.
    pub(super) network: Option<NetworkFacts>,
    /// Whether the virtual network may have been created for it, with its annotation.
    #[serde(default)]
    pub(super) begun: bool,
    /// Whether its subnet may be added to a network that has others.
    #[serde(default)]
    pub(super) adds_subnet: bool,
}

/// What is recorded of the virtual network of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NetworkFacts {
    /// Its id.
    pub(super) network: Uuid,
    /// The id of the subnet, where the network has several of its family.
    pub(super) subnet: Option<Uuid>,
    /// The gateway of the subnet.
    pub(super) gateway: Option<IpAddr>,
    /// The gateway that the user asked for: the network is created again with it.
    pub(super) asked: Option<IpAddr>,
}

/// An address that Docker holds, or that the API must release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AddressEntry {
    /// The instance IP.
    pub(super) id: Uuid,
    /// The pool.
    pub(super) pool: String,
    /// The virtual network.
    pub(super) network: Uuid,
    /// The address, once it is known.
    pub(super) address: Option<IpAddr>,
    /// The life of the engine in which it was given out.
    pub(super) life: u64,
    /// How far it is.
    #[serde(rename = "phase")]
    pub(super) stage: Stage,
}

/// The entries.
pub(super) struct Store {
    index: Mutex<Index>,
}

/// The entries in memory, under the store's lock, and on disk.
pub(super) struct Index {
    pools_on_disk: Entries<Uuid, PoolEntry>,
    addresses_on_disk: Entries<Uuid, AddressEntry>,
    life: u64,
    new_life: bool,
    pools: BTreeMap<String, PoolEntry>,
    addresses: BTreeMap<Uuid, AddressEntry>,
}

impl Store {
    /// Reads what an earlier run has left. Damaged entries are moved aside.
    ///
    /// # Errors
    /// If the directory cannot be created or read, or has an entry of a later version.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let (pools, addresses) = (dir.join("pools"), dir.join("addresses"));
        for dir in [&pools, &addresses] {
            files::create_private_dir(dir)?;
        }
        files::sweep(dir);
        let mut index = Index {
            pools_on_disk: Entries::new(pools, Durability::Synced).ending(""),
            addresses_on_disk: Entries::new(addresses, Durability::Synced).ending(""),
            life: 0,
            new_life: false,
            pools: BTreeMap::new(),
            addresses: BTreeMap::new(),
        };
        for (_, pool) in index.pools_on_disk.all()? {
            index.life = index.life.max(pool.life);
            index.pools.insert(pool.id.clone(), pool);
        }
        for (_, mut address) in index.addresses_on_disk.all()? {
            index.life = index.life.max(address.life);
            address.stage = address.stage.after_restart();
            index.addresses.insert(address.id, address);
        }
        Ok(Self {
            index: Mutex::new(index),
        })
    }

    /// The entries. The lock is never held during a request to the API.
    pub(super) fn lock(&self) -> MutexGuard<'_, Index> {
        // Each entry is consistent even after a panic.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    /// An engine has started: what it requests from now on may be what it held before.
    pub(super) fn engine_started(&mut self) {
        self.new_life = true;
    }

    /// The engine's life: what was given out in an earlier one may be requested again.
    pub(super) fn life(&mut self) -> u64 {
        // Several requests of the capabilities in a row are one start.
        self.life += u64::from(std::mem::take(&mut self.new_life));
        self.life
    }

    pub(super) fn pool(&self, id: &str) -> Option<&PoolEntry> {
        self.pools.get(id)
    }

    pub(super) fn pools(&self) -> impl Iterator<Item = &PoolEntry> {
        self.pools.values()
    }

    pub(super) fn put_pool(&mut self, pool: PoolEntry) -> Result<()> {
        self.pools_on_disk.put(&uuid_of(&pool.id), &pool)?;
        self.pools.insert(pool.id.clone(), pool);
        Ok(())
    }

    pub(super) fn remove_pool(&mut self, id: &str) -> Result<()> {
        self.pools_on_disk.remove(&uuid_of(id))?;
        self.pools.remove(id);
        Ok(())
    }

    pub(super) fn put_address(&mut self, address: AddressEntry) -> Result<()> {
        self.addresses_on_disk.put(&address.id, &address)?;
        self.addresses.insert(address.id, address);
        Ok(())
    }

    pub(super) fn remove_address(&mut self, id: Uuid) -> Result<()> {
        self.addresses_on_disk.remove(&id)?;
        self.addresses.remove(&id);
        Ok(())
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = &AddressEntry> {
        self.addresses.values()
    }

    /// The entry of an address of a network.
    pub(super) fn address(&self, network: Uuid, address: IpAddr) -> Option<&AddressEntry> {
        self.addresses()
            .find(|entry| entry.network == network && entry.address == Some(address))
    }
}

/// The id of a pool as a UUID: in the name of its file, and of its annotation.
pub(super) fn uuid_of(pool: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, pool.as_bytes())
}

impl Entry for PoolEntry {
    const KIND: &str = "Docker pool";
    const VERSION: u32 = 2;

    fn upgrade(_version: u32, value: Value) -> serde_json::Result<Self> {
        let mut entry: Self = serde_json::from_value(value)?;
        // Before version 2, a network whose id was not known had the nil id.
        entry.network = entry.network.filter(|facts| !facts.network.is_nil());
        Ok(entry)
    }
}

impl Entry for AddressEntry {
    const KIND: &str = "Docker address";
    const VERSION: u32 = 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(id: u128, stage: Stage) -> AddressEntry {
        AddressEntry {
            id: Uuid::from_u128(id),
            pool: "d:p:n@10.1.1.0/24@".into(),
            network: Uuid::from_u128(1),
            address: Some("10.1.1.9".parse().unwrap()),
            life: 4,
            stage,
        }
    }

    #[test]
    fn entries_survive_and_what_was_cut_off_is_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        store.lock().put_address(address(7, Stage::Live)).unwrap();
        store
            .lock()
            .put_address(address(8, Stage::Creating))
            .unwrap();
        let damaged = Uuid::from_u128(9);
        for name in ["foreign".to_owned(), damaged.to_string()] {
            std::fs::write(dir.path().join("addresses").join(name), "{").unwrap();
        }
        let store = Store::open(dir.path()).unwrap();
        let stages: Vec<_> = store.lock().addresses().map(|entry| entry.stage).collect();
        assert_eq!(stages, [Stage::Live, Stage::Removing]);
        assert!(dir.path().join("addresses/foreign").exists());
        assert!(dir.path().join("addresses/damaged").exists());
        for id in [7, 8] {
            store.lock().remove_address(Uuid::from_u128(id)).unwrap();
        }
        assert_eq!(store.lock().addresses().count(), 0);
        assert!(store.lock().addresses_on_disk.keys().unwrap().is_empty());
    }

    #[test]
    fn pools_of_earlier_releases_are_read_and_one_with_a_nil_network_has_none() {
        let dir = tempfile::tempdir().unwrap();
        let id = "d:p:n@10.1.1.0/24@";
        let (known, unknown) = (Uuid::from_u128(1), Uuid::nil());
        for (version, network, expected) in [
            (0, known, Some(known)),
            (1, known, Some(known)),
            (0, unknown, None),
            (1, unknown, None),
        ] {
            let entry = format!(
                r#"{{"id":"{id}","holders":1,"life":3,"network":{{"network":"{network}","subnet":null,
                "gateway":"10.1.1.1","asked":null}}}}"#
            );
            let file = match version {
                0 => entry,
                _ => format!(r#"{{"kind":"Docker pool","version":{version},"entry":{entry}}}"#),
            };
            let path = dir.path().join("pools").join(uuid_of(id).to_string());
            Store::open(dir.path()).unwrap();
            std::fs::write(path, file).unwrap();
            let store = Store::open(dir.path()).unwrap();
            let index = store.lock();
            let pool = index.pool(id).unwrap();
            assert_eq!(
                pool.network.map(|facts| facts.network),
                expected,
                "{version}"
            );
            assert_eq!((pool.holders, pool.life), (1, 3));
        }
    }

    #[test]
    fn a_life_begins_once_for_each_start_of_an_engine() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let mut index = store.lock();
        assert_eq!(index.life(), 0);
        index.engine_started();
        index.engine_started();
        assert_eq!((index.life(), index.life()), (1, 1));
    }
}
