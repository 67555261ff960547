//! What the IPAM driver must still know after a restart: which pools are out, and which address is
//! which instance IP. In memory as one index, on disk as one file for each entry.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use contrail_core::{Error as CoreError, files};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Result;
use crate::stage::Stage;

/// A pool that Docker holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PoolEntry {
    /// Its id.
    pub(super) id: String,
    /// How often it has been asked for and not given back, in this life of the engine.
    pub(super) holders: u32,
    /// The life of the engine in which it was asked for last.
    pub(super) life: u64,
    /// What is known of its virtual network, once that was needed.
    pub(super) network: Option<NetworkFacts>,
    /// Whether the virtual network may have been made for it, and marked.
    #[serde(default)]
    pub(super) begun: bool,
    /// Whether its subnet may be added to a network that has others.
    #[serde(default)]
    pub(super) adds_subnet: bool,
}

/// What is remembered of a pool's virtual network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NetworkFacts {
    /// Its id.
    pub(super) network: Uuid,
    /// The id of the subnet, where the network has several of its family.
    pub(super) subnet: Option<Uuid>,
    /// The gateway of the subnet.
    pub(super) gateway: Option<IpAddr>,
    /// The gateway that the user asked for: the network is made again with it.
    pub(super) asked: Option<IpAddr>,
}

/// An address that Docker holds, or that must be given back to the API.
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

/// The entries in memory, under the store's lock.
#[derive(Default)]
pub(super) struct Index {
    dir: PathBuf,
    life: u64,
    new_life: bool,
    pools: BTreeMap<String, PoolEntry>,
    addresses: BTreeMap<Uuid, AddressEntry>,
}

impl Store {
    /// Reads what an earlier run has left. Files that cannot be understood are reported and left.
    ///
    /// # Errors
    /// When the directory cannot be made or read.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let mut index = Index {
            dir: dir.to_path_buf(),
            ..Index::default()
        };
        for pool in read_all::<PoolEntry>(&dir.join("pools"))? {
            index.life = index.life.max(pool.life);
            index.pools.insert(pool.id.clone(), pool);
        }
        for mut address in read_all::<AddressEntry>(&dir.join("addresses"))? {
            index.life = index.life.max(address.life);
            if address.stage == Stage::Creating {
                // Docker never got the answer.
                address.stage = Stage::Removing;
            }
            index.addresses.insert(address.id, address);
        }
        Ok(Self {
            index: Mutex::new(index),
        })
    }

    /// The entries. The lock is never held while the API is asked.
    pub(super) fn lock(&self) -> MutexGuard<'_, Index> {
        // A panic in between leaves entries that are each whole.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    /// An engine has started: what it asks for from now on may be a repetition of what it held.
    pub(super) fn engine_started(&mut self) {
        self.new_life = true;
    }

    /// The engine's life: what was given out in an earlier one may be asked for again.
    pub(super) fn life(&mut self) -> u64 {
        // Several capabilities requests in a row are one start.
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
        write(&self.pool_file(&pool.id), &pool)?;
        self.pools.insert(pool.id.clone(), pool);
        Ok(())
    }

    pub(super) fn remove_pool(&mut self, id: &str) -> Result<()> {
        files::remove(&self.pool_file(id))?;
        self.pools.remove(id);
        Ok(())
    }

    pub(super) fn put_address(&mut self, address: AddressEntry) -> Result<()> {
        write(&self.address_file(address.id), &address)?;
        self.addresses.insert(address.id, address);
        Ok(())
    }

    pub(super) fn remove_address(&mut self, id: Uuid) -> Result<()> {
        files::remove(&self.address_file(id))?;
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

    fn pool_file(&self, id: &str) -> PathBuf {
        self.dir.join("pools").join(uuid_of(id).to_string())
    }

    fn address_file(&self, id: Uuid) -> PathBuf {
        self.dir.join("addresses").join(id.to_string())
    }
}

/// The id of a pool as a UUID: in the name of its file, and of its annotation.
pub(super) fn uuid_of(pool: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, pool.as_bytes())
}

fn write(path: &Path, entry: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec(entry).map_err(|source| CoreError::Decode {
        what: format!("what shall be written to {}", path.display()),
        source,
    })?;
    Ok(files::write_private(path, &text)?)
}

fn read_all<T: DeserializeOwned>(dir: &Path) -> Result<Vec<T>> {
    files::create_private_dir(dir)?;
    let failed = |error| CoreError::file("read", dir, error);
    let mut entries = Vec::new();
    for file in std::fs::read_dir(dir).map_err(failed)? {
        let path = file.map_err(failed)?.path();
        if path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
        {
            // A write that a crash cut off: the old content stands beside it.
            files::remove(&path)?;
            continue;
        }
        let text =
            files::read_private(&path).map_err(|error| CoreError::file("read", &path, error))?;
        match serde_json::from_slice(&text) {
            Ok(entry) => entries.push(entry),
            Err(error) => log::error!("{} is not understood and left: {error}", path.display()),
        }
    }
    Ok(entries)
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
        std::fs::write(dir.path().join("addresses/.half"), "{").unwrap();
        std::fs::write(dir.path().join("addresses/foreign"), "{").unwrap();
        let store = Store::open(dir.path()).unwrap();
        let stages: Vec<_> = store.lock().addresses().map(|entry| entry.stage).collect();
        assert_eq!(stages, [Stage::Live, Stage::Removing]);
        assert!(dir.path().join("addresses/foreign").exists());
        assert!(!dir.path().join("addresses/.half").exists());
        for id in [7, 8] {
            store.lock().remove_address(Uuid::from_u128(id)).unwrap();
        }
        assert_eq!(store.lock().addresses().count(), 0);
        assert_eq!(
            std::fs::read_dir(dir.path().join("addresses"))
                .unwrap()
                .count(),
            1
        );
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
