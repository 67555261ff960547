//! What the network driver must still know after a restart: one entry for each network and endpoint. If
//! they are lost, little is: ids are computed, and virtual networks carry the annotations of their users.

use std::net::IpAddr;
use std::path::Path;

use contrail_core::attach::InterfaceOptions;
use contrail_core::service_chain::ServiceRole;
use contrail_core::state::{Durability, Entries, Entry};
use contrail_core::{FqName, MacAddr};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::earlier_network::EarlierNetwork;
use super::wanted::Wanted;
use crate::error::Result;
use crate::proto::{EndpointId, NetworkId};
use crate::stage::{Stage, incomplete};

/// A Docker network with its virtual network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
            Self::Creating(wanted) => wanted.options.target.name().and_then(FqName::parent),
            Self::Live(network) | Self::Removing(network) => network.name.parent(),
        }
    }
}

impl From<EarlierNetwork> for NetworkEntry {
    fn from(earlier: EarlierNetwork) -> Self {
        let Some(uuid) = earlier.uuid else {
            return Self::Creating(earlier.wanted);
        };
        let network = Network {
            wanted: earlier.wanted,
            uuid,
            name: earlier.name,
            project: earlier.project,
            auxiliary: earlier.auxiliary,
        };
        match earlier.stage {
            Stage::Live => Self::Live(network),
            Stage::Creating | Stage::Removing => Self::Removing(network),
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
    /// The name of this host under which its objects were made; `None` if an earlier program made them.
    #[serde(default)]
    pub(super) node: Option<String>,
    /// How far it is.
    #[serde(default, rename = "unfinished", with = "incomplete")]
    pub(super) stage: Stage,
    /// What the controller is to do for its interface.
    #[serde(flatten)]
    pub(super) options: InterfaceOptions,
}

impl Entry for NetworkEntry {
    const KIND: &str = "Docker network";
    const VERSION: u32 = 2;

    fn upgrade(_version: u32, value: Value) -> serde_json::Result<Self> {
        Ok(serde_json::from_value::<EarlierNetwork>(value)?.into())
    }
}

impl Entry for EndpointEntry {
    const KIND: &str = "Docker endpoint";
    const VERSION: u32 = 1;
}

/// The entries of all networks and endpoints.
pub(super) struct Store {
    networks: Entries<NetworkId, NetworkEntry>,
    endpoints: Entries<EndpointId, EndpointEntry>,
}

impl Store {
    /// The entries in a directory, which is created when something is written.
    pub(super) fn new(dir: &Path) -> Self {
        let (networks, endpoints) = (dir.join("docker-networks"), dir.join("docker-endpoints"));
        Self {
            networks: Entries::new(networks, Durability::Synced),
            endpoints: Entries::new(endpoints, Durability::Synced),
        }
    }

    pub(super) fn network(&self, id: &NetworkId) -> Result<Option<NetworkEntry>> {
        Ok(self.networks.get(id)?)
    }

    /// All networks.
    pub(super) fn networks(&self) -> Result<Vec<(NetworkId, NetworkEntry)>> {
        Ok(self.networks.all()?)
    }

    pub(super) fn put_network(&self, id: &NetworkId, entry: &NetworkEntry) -> Result<()> {
        Ok(self.networks.put(id, entry)?)
    }

    pub(super) fn remove_network(&self, id: &NetworkId) -> Result<()> {
        Ok(self.networks.remove(id).map(drop)?)
    }

    pub(super) fn endpoint(&self, id: &EndpointId) -> Result<Option<EndpointEntry>> {
        Ok(self.endpoints.get(id)?)
    }

    /// All endpoints.
    pub(super) fn endpoints(&self) -> Result<Vec<(EndpointId, EndpointEntry)>> {
        Ok(self.endpoints.all()?)
    }

    pub(super) fn put_endpoint(&self, id: &EndpointId, entry: &EndpointEntry) -> Result<()> {
        Ok(self.endpoints.put(id, entry)?)
    }

    pub(super) fn remove_endpoint(&self, id: &EndpointId) -> Result<()> {
        Ok(self.endpoints.remove(id).map(drop)?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::network_options::NetworkOptions;
    use super::*;
    use crate::options::Target;

    #[test]
    fn what_is_written_is_read_back_and_a_damaged_entry_counts_as_lost() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        let id = EndpointId::try_from("e1".to_owned()).unwrap();
        assert_eq!(store.endpoint(&id).unwrap(), None);
        let mut entry = EndpointEntry {
            vm: Some(Uuid::from_u128(1)),
            ..Default::default()
        };
        entry.options.security_groups = vec![FqName::new(["d", "p", "web"])];
        store.put_endpoint(&id, &entry).unwrap();
        let stored = serde_json::to_value(&entry).unwrap();
        let of_0_1_0 = serde_json::json!([["d", "p", "web"]]);
        assert_eq!(stored["security_groups"], of_0_1_0);
        assert_eq!(store.endpoint(&id).unwrap(), Some(entry));
        fs::write(store.endpoints.path(&id).unwrap(), "{").unwrap();
        assert_eq!(store.endpoint(&id).unwrap(), None);
        store.remove_endpoint(&id).unwrap();
        store.remove_endpoint(&id).unwrap();
    }

    #[test]
    fn networks_keep_their_stage_and_unknown_ids_are_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        let id = NetworkId::try_from("n1".to_owned()).unwrap();
        let wanted = Wanted {
            options: NetworkOptions::of(Target::Named(FqName::new(["d", "p", "net1"]))),
            pools: Vec::new(),
            internal: false,
        };
        let network = Network {
            wanted: wanted.clone(),
            uuid: Uuid::from_u128(1),
            name: FqName::new(["d", "p", "net1"]),
            project: None,
            auxiliary: Vec::new(),
        };
        for entry in [
            NetworkEntry::Creating(wanted),
            NetworkEntry::Live(network.clone()),
            NetworkEntry::Removing(network),
        ] {
            store.put_network(&id, &entry).unwrap();
            assert_eq!(store.network(&id).unwrap(), Some(entry));
            let text = fs::read_to_string(store.networks.path(&id).unwrap()).unwrap();
            assert!(!text.contains(&Uuid::nil().to_string()), "{text}");
            assert!(text.contains(r#""version":2"#), "{text}");
        }
    }

    #[test]
    fn networks_of_earlier_programs_keep_their_stage_and_nil_ids_are_unknown() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        let id = NetworkId::try_from("n1".to_owned()).unwrap();
        let (known, nil) = (Uuid::from_u128(1), Uuid::nil());
        for (uuid, project, deleted, stage) in [
            (nil, nil, true, Stage::Creating),
            (nil, nil, false, Stage::Creating),
            (known, nil, false, Stage::Live),
            (known, known, false, Stage::Live),
            (known, known, true, Stage::Removing),
        ] {
            let entry = format!(
                r#"{{"wanted":{{"options":{{"target":{{"Named":["d","p","net1"]}},"route_targets":[],
                "imports":[],"exports":[],"mtu":1400,"without_gateway":false,"dns":[],"refuse_ports":false}},
                "pools":[],"internal":false}},"uuid":"{uuid}","name":["d","p","net1"],"project":"{project}",
                "auxiliary":[],"deleted":{deleted}}}"#
            );
            let versioned = format!(r#"{{"kind":"Docker network","version":1,"entry":{entry}}}"#);
            for file in [entry, versioned] {
                fs::create_dir_all(dir.path().join("docker-networks")).unwrap();
                fs::write(dir.path().join("docker-networks/n1.json"), file).unwrap();
                let read = store.network(&id).unwrap().unwrap();
                assert_eq!(read.stage(), stage);
                let wanted = match read {
                    NetworkEntry::Creating(wanted) => wanted,
                    NetworkEntry::Live(network) | NetworkEntry::Removing(network) => {
                        assert_eq!(network.uuid, known);
                        assert_eq!(network.project, Some(project).filter(|id| *id == known));
                        assert_eq!(network.name, FqName::new(["d", "p", "net1"]));
                        network.wanted
                    }
                };
                assert_eq!(wanted.options.properties.mtu, Some(1400));
            }
        }
    }
}
