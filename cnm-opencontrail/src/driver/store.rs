//! What the driver remembers of networks and endpoints: one private file for each, so that a restart
//! forgets nothing. Losing them loses little: ids are computed, and networks carry their users' marks.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use contrail_core::{Error as CoreError, files};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::options::NetworkOptions;
use crate::error::Result;
use crate::proto::{EndpointId, IpamData, NetworkId};

/// What Docker asked for when it created a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Wanted {
    /// The user's options.
    pub(super) options: NetworkOptions,
    /// The pools, IPv4 first.
    pub(super) pools: Vec<IpamData>,
    /// Whether it has no way out.
    pub(super) internal: bool,
}

/// A Docker network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct NetworkEntry {
    /// What was asked for.
    pub(super) wanted: Wanted,
    /// The virtual network.
    pub(super) uuid: Uuid,
    /// Its name.
    pub(super) name: contrail_core::FqName,
    /// Its project.
    pub(super) project: Uuid,
    /// Instance IPs that keep the auxiliary addresses from others.
    pub(super) auxiliary: Vec<Uuid>,
    /// Docker has deleted it, and the controller could not be told yet.
    #[serde(default)]
    pub(super) deleted: bool,
}

impl NetworkEntry {
    /// The id of its project, if known: stored entries have the nil id otherwise.
    pub(super) fn project_id(&self) -> Option<Uuid> {
        Some(self.project).filter(|id| !id.is_nil())
    }

    /// One that is about to be made, noted as something to remove.
    pub(super) fn unfinished(wanted: Wanted) -> Self {
        Self {
            name: wanted.options.target.name(),
            wanted,
            uuid: Uuid::nil(),
            project: Uuid::nil(),
            auxiliary: Vec::new(),
            deleted: true,
        }
    }
}

/// A container's connection to a network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct EndpointEntry {
    /// The Docker network.
    #[serde(default)]
    pub(super) network: Option<NetworkId>,
    /// The addresses, each with the instance IP that the IPAM driver had set aside for it.
    pub(super) addresses: Vec<(std::net::IpAddr, Option<Uuid>)>,
    /// The Ethernet address that Docker gave.
    pub(super) mac: Option<contrail_core::MacAddr>,
    /// The virtual machine, since it joined one.
    pub(super) vm: Option<Uuid>,
    /// Its part in a service chain.
    #[serde(default)]
    pub(super) service: Option<contrail_core::service_chain::ServiceRole>,
    /// Whether it is being made or taken away; if nobody is at it, what is there of it has to go.
    #[serde(default)]
    pub(super) unfinished: bool,
    /// The security groups that filter its packets.
    #[serde(default)]
    pub(super) security_groups: Vec<contrail_core::FqName>,
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
    let text = serde_json::to_vec(entry).map_err(|source| CoreError::Encode {
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
