//! Addresses that Docker's own IPAM hands out and somebody has: those of what should have gone are freed, of
//! others the holder is named.

use std::net::IpAddr;

use contrail_core::error::report;
use contrail_core::{Deadline, Error as CoreError, attach};

use super::NetworkDriver;
use super::store::{EndpointEntry, NetworkEntry};
use crate::error::{Error, Result};
use crate::proto::{CreateEndpoint, EndpointId};

impl NetworkDriver {
    /// Removes what has the address and should have gone: a container that ended while the controller
    /// was down, and an endpoint of the same Docker network. Docker's own IPAM gives an address of a network
    /// only once, so that its container ended while this plugin was down, and nobody told it. Returns
    /// whether there was something.
    pub(super) fn make_room(
        &self,
        request: &CreateEndpoint,
        error: &attach::Error,
        end: Deadline,
    ) -> Result<bool> {
        let Some(CoreError::AddressInUse { address, .. }) = error.client_cause() else {
            return Ok(false);
        };
        let is_stale = |(id, entry): &(EndpointId, EndpointEntry)| {
            let has_it = entry.addresses.iter().any(|(held, _)| held == address);
            let network = entry.network.as_ref();
            has_it && network == Some(&request.network_id) && *id != request.endpoint_id
        };
        let mut endpoints = self.store.endpoints()?.into_iter();
        let removed = match endpoints.find(is_stale) {
            Some((id, _)) => self.remove_stale(&id, *address)?,
            None => false,
        };
        Ok(self.attacher.work_off_all_pending(end) > 0 || removed)
    }

    /// Removes an endpoint that is gone, unless somebody is at it.
    fn remove_stale(&self, id: &EndpointId, address: IpAddr) -> Result<bool> {
        let Some(_going) = self.making.begin_at_once(id.as_str()) else {
            return Ok(false);
        };
        let Some(entry) = self.store.endpoint(id)? else {
            return Ok(false);
        };
        let text = id.short();
        log::warn!("endpoint {text} has address {address} and is gone: it is removed");
        self.take_away(id, entry)?;
        Ok(true)
    }

    /// Says who has an address that Docker's own IPAM handed out a second time.
    pub(super) fn name_holder(
        &self,
        network: &NetworkEntry,
        error: attach::Error,
        end: Deadline,
    ) -> Error {
        let Some(CoreError::AddressInUse { address, .. }) = error.client_cause() else {
            return error.into();
        };
        let address = *address;
        let holder = self.attacher.address_holder(network.uuid, address, end);
        let holder = holder.unwrap_or_else(|error| {
            log::debug!("{}", report(&error));
            None
        });
        Error::AddressHeld {
            address,
            network: network.name.clone(),
            holder: format!(
                "{} has it. Docker's own IPAM does not know what others hand out: \
                 create the network with --ipam-driver opencontrail",
                holder.unwrap_or_else(|| "somebody".into())
            ),
        }
    }
}
