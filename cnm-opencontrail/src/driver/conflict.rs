//! Addresses that Docker's own IPAM gives out although they are in use: frees those of stale endpoints, names
//! the holder of others.

use std::net::IpAddr;

use contrail_core::error::{Layered, report};
use contrail_core::{Deadline, Error as CoreError, attach};

use super::network_driver::NetworkDriver;
use super::store::{EndpointEntry, Network};
use crate::error::{Error, Result};
use crate::proto::{CreateEndpoint, EndpointId};

impl NetworkDriver {
    /// Removes a stale holder of the address: a container that ended while the controller was down, and an
    /// endpoint of the same Docker network. Docker's own IPAM gives out an address of a network only once,
    /// so that endpoint's container ended while this plugin was down. Returns whether anything was removed.
    pub(super) fn free_address(
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

    /// Removes a stale endpoint, unless another call has locked it.
    fn remove_stale(&self, id: &EndpointId, address: IpAddr) -> Result<bool> {
        let Some(_lock) = self.locks.try_lock(id.as_str()) else {
            return Ok(false);
        };
        let Some(entry) = self.store.endpoint(id)? else {
            return Ok(false);
        };
        log::warn!(
            "endpoint {}: removing it, since Docker has given its address {address} to another",
            id.short()
        );
        self.remove_recorded(id, entry)?;
        Ok(true)
    }

    /// Adds the holder to the error about an address that Docker's own IPAM gave out a second time.
    pub(super) fn name_holder(
        &self,
        network: &Network,
        error: attach::Error,
        end: Deadline,
    ) -> Error {
        let Some(CoreError::AddressInUse { address, .. }) = error.client_cause() else {
            return error.into();
        };
        let address = *address;
        let holder = self.attacher.address_holder(network.uuid, address, end);
        let holder = holder.unwrap_or_else(|error| {
            log::debug!("cannot find the holder of {address}: {}", report(&error));
            None
        });
        Error::AddressHeld {
            address,
            network: network.name.clone(),
            holder: format!(
                "{} has it. Docker's own IPAM does not know of addresses that others assign: \
                 create the network with --ipam-driver opencontrail",
                holder.unwrap_or_else(|| "another interface".into())
            ),
        }
    }
}
