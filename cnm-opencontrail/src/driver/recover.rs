//! What is known of networks and endpoints after the state directory was lost: the controller has it.
//!
//! The annotation of a Docker network on its virtual network holds what Docker asked for; everything of
//! an endpoint stands in its objects, whose ids follow from its own.

use contrail_core::api::{ListQuery, VirtualNetwork};
use contrail_core::attach::network::subnets::Subnet;
use contrail_core::{Deadline, Error as CoreError, FqName};
use ipnetwork::IpNetwork;

use super::NetworkDriver;
use super::network::auxiliary_ip;
use super::options::{NetworkOptions, Target};
use super::store::{EndpointEntry, NetworkEntry, Wanted};
use crate::error::{Error, Result};
use crate::proto::{EndpointId, IpamData, NetworkId};

/// The value of the annotation.
pub(super) fn note(wanted: &Wanted) -> String {
    // Texts, numbers and lists: nothing that JSON has no form for.
    serde_json::to_string(wanted).unwrap_or_default()
}

impl NetworkDriver {
    /// What is known of a network: from the state, or else from the controller.
    pub(super) fn known(&self, id: &NetworkId, end: Deadline) -> Result<NetworkEntry> {
        if let Some(entry) = self.store.network(id)?.filter(|entry| !entry.deleted) {
            return Ok(entry);
        }
        let found = self.recover(id, end)?;
        found.ok_or_else(|| Error::UnknownNetwork {
            network: id.short().to_owned(),
        })
    }

    /// Finds the virtual network of a Docker network by its mark.
    pub(super) fn recover(&self, id: &NetworkId, end: Deadline) -> Result<Option<NetworkEntry>> {
        let Some(network) = self.marked(id, end)? else {
            return Ok(None);
        };
        let note = network.meta.annotations.get(&self.mark(id));
        let note = note.unwrap_or_default().to_owned();
        let id_text = id.short();
        log::warn!("state of Docker network {id_text} was lost: taken from the controller");
        let wanted = match serde_json::from_str(&note) {
            Ok(wanted) => wanted,
            Err(e) => {
                log::warn!("the note of it is damaged ({e}): its options are lost");
                seen_of(&network, &self.subnets_of(&network, end)?)
            }
        };
        let entry = self.entry_of(id, wanted, &network)?;
        self.store.put_network(id, &entry)?;
        Ok(Some(entry))
    }

    /// The virtual network that carries the mark of a Docker network. Of all others only the annotations
    /// are read.
    fn marked(&self, id: &NetworkId, end: Deadline) -> Result<Option<VirtualNetwork>> {
        let client = self.client(end);
        let query = ListQuery::all().fields(&["annotations"]);
        let mut all = client.listed::<VirtualNetwork>(&query)?;
        let mark = self.mark(id);
        let is_marked = |network: &&VirtualNetwork| network.meta.annotations.get(&mark).is_some();
        match all.objects.iter().find(is_marked) {
            Some(network) => Ok(client.get_opt(network.meta.uuid.unwrap_or_default())?),
            // One that cannot be read may be the one.
            None => match all.unreadable.pop() {
                Some(odd) => Err(odd.error.into()),
                None => Ok(None),
            },
        }
    }

    /// What is remembered of a Docker network that is this virtual network.
    pub(super) fn entry_of(
        &self,
        id: &NetworkId,
        wanted: Wanted,
        network: &VirtualNetwork,
    ) -> Result<NetworkEntry> {
        let uuid = network.meta.uuid.unwrap_or_default();
        let auxiliary = self.auxiliary(&wanted.pools)?.into_iter();
        Ok(NetworkEntry {
            auxiliary: auxiliary
                .map(|(_, address)| auxiliary_ip(id, uuid, address))
                .collect(),
            wanted,
            uuid,
            name: network.meta.fq_name.clone(),
            project: network.meta.parent_uuid.unwrap_or_default(),
            deleted: false,
        })
    }

    /// What is known of an endpoint: from the state, or else from the controller.
    pub(super) fn known_endpoint(&self, id: &EndpointId, end: Deadline) -> Result<EndpointEntry> {
        if let Some(entry) = self.store.endpoint(id)?.filter(|entry| !entry.unfinished) {
            return Ok(entry);
        }
        let Some(found) = self.attacher.find_endpoint(id.as_str(), end)? else {
            return Err(CoreError::NotFound {
                kind: "Docker endpoint",
                name: id.short().to_owned(),
                hint: Some("start the container again".into()),
            }
            .into());
        };
        let id_text = id.short();
        log::warn!("state of endpoint {id_text} was lost: taken from the controller");
        let addresses = found.addresses.iter();
        let entry = EndpointEntry {
            network: None,
            addresses: addresses.map(|a| (a.address, a.reserved)).collect(),
            mac: found.mac,
            vm: found.vm,
            // Needed only until the endpoint has joined.
            service: None,
            unfinished: false,
            // They stand in the interface.
            security_groups: Vec::new(),
        };
        self.store.put_endpoint(id, &entry)?;
        Ok(entry)
    }
}

/// What a virtual network alone tells.
fn seen_of(network: &VirtualNetwork, subnets: &[Subnet]) -> Wanted {
    let pools = subnets.iter().map(|subnet| IpamData {
        pool: subnet.prefix.to_string(),
        gateway: subnet
            .gateway
            .and_then(|gateway| IpNetwork::new(gateway, subnet.prefix.prefix()).ok())
            .map(|gateway| gateway.to_string())
            .unwrap_or_default(),
        ..IpamData::default()
    });
    Wanted {
        options: NetworkOptions::of_network(network.meta.fq_name.clone()),
        pools: pools.collect(),
        internal: false,
    }
}

impl NetworkOptions {
    /// The options of a network of which only the name is known.
    fn of_network(name: FqName) -> Self {
        Self {
            target: Target::Named(name),
            route_targets: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
            mtu: None,
            without_gateway: false,
            dns: Vec::new(),
            refuse_ports: false,
        }
    }
}
