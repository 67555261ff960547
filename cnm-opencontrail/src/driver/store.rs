//! What the network driver must still know after a restart: one private file for each network and endpoint.
//! If they are lost, little is: ids are computed, and virtual networks carry the annotations of their users.

use std::fs;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use contrail_core::service_chain::ServiceRole;
use contrail_core::{Error as CoreError, FqName, MacAddr, files};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::wanted::Wanted;
use crate::error::Result;
use crate::options::Target;
use crate::proto::{EndpointId, NetworkId};
use crate::stage::{Stage, incomplete};

/// A Docker network with its virtual network.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Network {
    /// What was asked for.
    pub(super) wanted: Wanted,
    /// The virtual network.
    pub(super) uuid: Uuid,
    /// Its name.
    pub(super) name: FqName,
    /// Its project, if the API has said.
    pub(super) project: Option<Uuid>,
    /// The instance IPs that reserve the auxiliary addresses.
    pub(super) auxiliary: Vec<Uuid>,
}

/// What is recorded of a Docker network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredNetwork", into = "StoredNetwork")]
pub(super) enum NetworkEntry {
    /// Its creation has begun; the virtual network is not known.
    Creating(Wanted),
    /// Docker uses it.
    Live(Network),
    /// Docker has deleted it; it remains until the controller has removed its part.
    Removing(Network),
}

impl NetworkEntry {
    /// How far the network is.
    pub(super) fn stage(&self) -> Stage {
        match self {
            Self::Creating(_) => Stage::Creating,
            Self::Live(_) => Stage::Live,
            Self::Removing(_) => Stage::Removing,
        }
    }

    /// The network, if Docker uses it.
    pub(super) fn live(self) -> Option<Network> {
        match self {
            Self::Live(network) => Some(network),
            Self::Creating(_) | Self::Removing(_) => None,
        }
    }

    /// The entry of a network that Docker has deleted.
    pub(super) fn removing(self) -> Self {
        match self {
            Self::Creating(wanted) => Self::Creating(wanted),
            Self::Live(network) | Self::Removing(network) => Self::Removing(network),
        }
    }

    /// The virtual network, for people.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Creating(wanted) => wanted.options.target.to_string(),
            Self::Live(network) | Self::Removing(network) => network.name.to_string(),
        }
    }

    /// The project of the virtual network, as far as it is known.
    pub(super) fn project(&self) -> Option<FqName> {
        match self {
            Self::Creating(wanted) => wanted.options.target.name().map(FqName::parent),
            Self::Live(network) | Self::Removing(network) => Some(network.name.parent()),
        }
    }
}

/// The stored form: ids are nil as long as they are not known.
#[derive(Serialize, Deserialize)]
struct StoredNetwork {
    wanted: Wanted,
    uuid: Uuid,
    name: FqName,
    project: Uuid,
    auxiliary: Vec<Uuid>,
    #[serde(default, rename = "deleted", with = "incomplete")]
    stage: Stage,
}

impl From<StoredNetwork> for NetworkEntry {
    fn from(stored: StoredNetwork) -> Self {
        if stored.uuid.is_nil() {
            return Self::Creating(stored.wanted);
        }
        let network = Network {
            wanted: stored.wanted,
            uuid: stored.uuid,
            name: stored.name,
            project: Some(stored.project).filter(|id| !id.is_nil()),
            auxiliary: stored.auxiliary,
        };
        match stored.stage {
            Stage::Live => Self::Live(network),
            Stage::Creating | Stage::Removing => Self::Removing(network),
        }
    }
}

impl From<NetworkEntry> for StoredNetwork {
    fn from(entry: NetworkEntry) -> Self {
        let stage = entry.stage();
        match entry {
            NetworkEntry::Creating(wanted) => Self {
                name: match &wanted.options.target {
                    Target::Named(name) | Target::Existing(name) => name.clone(),
                    Target::Id(id) => FqName::new([id.to_string()]),
                },
                wanted,
                uuid: Uuid::nil(),
                project: Uuid::nil(),
                auxiliary: Vec::new(),
                stage,
            },
            NetworkEntry::Live(network) | NetworkEntry::Removing(network) => Self {
                wanted: network.wanted,
                uuid: network.uuid,
                name: network.name,
                project: network.project.unwrap_or_default(),
                auxiliary: network.auxiliary,
                stage,
            },
        }
    }
}

/// A container's connection to a network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct EndpointEntry {
    /// The Docker network.
    #[serde(default)]
    pub(super) network: Option<NetworkId>,
    /// The addresses, each with the instance IP that the IPAM driver had reserved for it.
    pub(super) addresses: Vec<(IpAddr, Option<Uuid>)>,
    /// The Ethernet address that Docker gave.
    pub(super) mac: Option<MacAddr>,
    /// The virtual machine, once the endpoint has joined one.
    pub(super) vm: Option<Uuid>,
    /// Its part in a service chain.
    #[serde(default)]
    pub(super) service: Option<ServiceRole>,
    /// How far it is.
    #[serde(default, rename = "unfinished", with = "incomplete")]
    pub(super) stage: Stage,
    /// The security groups that filter its packets.
    #[serde(default)]
    pub(super) security_groups: Vec<FqName>,
}

/// The files.
pub(super) struct Store {
    dir: PathBuf,
}

impl Store {
    /// The files in a directory, which is made when something is written.
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    pub(super) fn network(&self, id: &NetworkId) -> Result<Option<NetworkEntry>> {
        read(&self.network_file(id))
    }

    /// All networks.
    pub(super) fn networks(&self) -> Result<Vec<(NetworkId, NetworkEntry)>> {
        let ids = names(&self.dir.join("docker-networks"))?.into_iter();
        let ids = ids.filter_map(|name| NetworkId::try_from(name).ok());
        let entry = |id: NetworkId| Ok(self.network(&id)?.map(|entry| (id, entry)));
        ids.filter_map(|id| entry(id).transpose()).collect()
    }

    pub(super) fn put_network(&self, id: &NetworkId, entry: &NetworkEntry) -> Result<()> {
        write(&self.network_file(id), entry)
    }

    pub(super) fn remove_network(&self, id: &NetworkId) -> Result<()> {
        Ok(files::remove(&self.network_file(id)).map(|_| ())?)
    }

    pub(super) fn endpoint(&self, id: &EndpointId) -> Result<Option<EndpointEntry>> {
        read(&self.endpoint_file(id))
    }

    /// All endpoints.
    pub(super) fn endpoints(&self) -> Result<Vec<(EndpointId, EndpointEntry)>> {
        let ids = names(&self.dir.join("docker-endpoints"))?.into_iter();
        let ids = ids.filter_map(|name| EndpointId::try_from(name).ok());
        let entry = |id: EndpointId| Ok(self.endpoint(&id)?.map(|entry| (id, entry)));
        ids.filter_map(|id| entry(id).transpose()).collect()
    }

    pub(super) fn put_endpoint(&self, id: &EndpointId, entry: &EndpointEntry) -> Result<()> {
        write(&self.endpoint_file(id), entry)
    }

    pub(super) fn remove_endpoint(&self, id: &EndpointId) -> Result<()> {
        Ok(files::remove(&self.endpoint_file(id)).map(|_| ())?)
    }

    fn network_file(&self, id: &NetworkId) -> PathBuf {
        self.dir.join("docker-networks").join(format!("{id}.json"))
    }

    fn endpoint_file(&self, id: &EndpointId) -> PathBuf {
        self.dir.join("docker-endpoints").join(format!("{id}.json"))
    }
}

/// The names of a directory's entries, without the ending.
fn names(dir: &Path) -> Result<Vec<String>> {
    let files = match fs::read_dir(dir) {
        Ok(files) => files,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(CoreError::file("read", dir, e).into()),
    };
    let names = files.flatten().filter_map(|file| {
        let name = file.file_name().into_string().ok()?;
        Some(name.strip_suffix(".json")?.to_owned())
    });
    Ok(names.collect())
}

/// A damaged file counts as lost, and what can be found out without it is.
fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match files::read_private(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(CoreError::file("read", path, e).into()),
    };
    let entry = serde_json::from_slice(&text);
    Ok(entry
        .map_err(|e| log::warn!("{} is damaged: {e}", path.display()))
        .ok())
}

fn write<T: Serialize>(path: &Path, entry: &T) -> Result<()> {
    let text = serde_json::to_vec(entry).map_err(|source| CoreError::Decode {
        what: format!("what {} should hold", path.display()),
        source,
    })?;
    Ok(files::write_private(path, &text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_damage_counts_as_lost() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        let id = EndpointId::try_from("e1".to_owned()).unwrap();
        assert_eq!(store.endpoint(&id).unwrap(), None);
        let entry = EndpointEntry {
            vm: Some(Uuid::from_u128(1)),
            ..Default::default()
        };
        store.put_endpoint(&id, &entry).unwrap();
        assert_eq!(store.endpoint(&id).unwrap(), Some(entry));
        fs::write(store.endpoint_file(&id), "{").unwrap();
        assert_eq!(store.endpoint(&id).unwrap(), None);
        store.remove_endpoint(&id).unwrap();
        store.remove_endpoint(&id).unwrap();
    }
}
