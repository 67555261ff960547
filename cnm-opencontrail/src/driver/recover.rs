//! What is known of networks and endpoints after the state directory was lost: the controller has it.
//!
//! The annotation of a Docker network on its virtual network holds what Docker asked for; everything about
//! an endpoint is in its objects, whose ids follow from its own.

use contrail_core::api::{ListQuery, Resource, VirtualNetwork};
use contrail_core::{Deadline, Error as CoreError};

use super::network_driver::NetworkDriver;
use super::store::{EndpointEntry, Network, NetworkEntry};
use super::wanted::Wanted;
use crate::error::{Error, Result};
use crate::proto::{EndpointId, NetworkId};
use crate::stage::Stage;

impl NetworkDriver {
    /// A network from the state, or else from the controller.
    ///
    /// # Errors
    /// [`Error::UnknownNetwork`]; if the state cannot be read, or the API cannot be reached.
    pub(super) fn known(&self, id: &NetworkId, end: Deadline) -> Result<Network> {
        if let Some(network) = self.store.network(id)?.and_then(NetworkEntry::live) {
            return Ok(network);
        }
        let found = self.recover(id, end)?;
        found.ok_or_else(|| Error::UnknownNetwork {
            network: id.short().to_owned(),
        })
    }

    /// Finds the virtual network of a Docker network by its annotation, and records it.
    ///
    /// # Errors
    /// If the API cannot be reached, or the state cannot be written.
    pub(super) fn recover(&self, id: &NetworkId, end: Deadline) -> Result<Option<Network>> {
        let Some(network) = self.annotated(id, end)? else {
            return Ok(None);
        };
        let note = network.meta.annotations.get(&self.user_key(id));
        let name = &network.meta.fq_name;
        log::warn!(
            "Docker network {}: state lost, recovering it from virtual network {name}",
            id.short()
        );
        let wanted = match Wanted::of_note(note.unwrap_or_default()) {
            Ok(wanted) => wanted,
            Err(reason) => {
                log::warn!(
                    "Docker network {}: its options are lost, since its annotation cannot be used: {reason}",
                    id.short()
                );
                Wanted::seen(name.clone(), &self.subnets_of(&network, end)?)
            }
        };
        let network = self.network_of(id, wanted, &network)?;
        let live = NetworkEntry::Live(network.clone());
        self.store.put_network(id, &live)?;
        Ok(Some(network))
    }

    /// The virtual network with the annotation of a Docker network. Of all others only the annotations
    /// are read.
    fn annotated(&self, id: &NetworkId, end: Deadline) -> Result<Option<VirtualNetwork>> {
        let client = self.client(end);
        let query = ListQuery::all().fields(&["annotations"]);
        let mut all = client.listed::<VirtualNetwork>(&query)?;
        let key = self.user_key(id);
        let has_key = |network: &&VirtualNetwork| network.meta.annotations.get(&key).is_some();
        match all.objects.iter().find(has_key) {
            Some(network) => Ok(client.get_opt(network.id()?)?),
            // One that cannot be read may have it.
            None => match all.unreadable.pop() {
                Some(odd) => Err(odd.error.into()),
                None => Ok(None),
            },
        }
    }

    /// An endpoint from the state, or else from the controller.
    ///
    /// # Errors
    /// [`CoreError::NotFound`]; if the state cannot be used, or the API cannot be reached.
    pub(super) fn known_endpoint(&self, id: &EndpointId, end: Deadline) -> Result<EndpointEntry> {
        let recorded = self.store.endpoint(id)?;
        if let Some(entry) = recorded.filter(|entry| !entry.stage.is_incomplete()) {
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
        log::warn!(
            "endpoint {}: state lost, recovering it from the controller",
            id.short()
        );
        let addresses = found.addresses.iter();
        let entry = EndpointEntry {
            network: None,
            addresses: addresses.map(|a| (a.address, a.reserved)).collect(),
            mac: found.mac,
            vm: found.vm,
            // Needed only until the endpoint has joined.
            service: None,
            stage: Stage::Live,
            options: found.options,
        };
        self.store.put_endpoint(id, &entry)?;
        Ok(entry)
    }
}
