//! The IPAM driver itself: what all of its calls share.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use contrail_core::attach::Attacher;
use contrail_core::{Deadline, FqName};
use ipnetwork::IpNetwork;
use uuid::Uuid;

use super::pool::Pool;
use super::store::{self, Store};
use crate::error::Result;
use crate::keyed_lock::{Guard, KeyedLock};
use crate::network_users::User;
use crate::plugin::PATIENCE;
use crate::proto::{AddressSpaces, IpamCapabilities, Reply};
use crate::reserved::is_of_ipam;

/// The address spaces, by which the network driver knows pools of this driver.
pub const ADDRESS_SPACES: AddressSpaces = AddressSpaces {
    local_default_address_space: "opencontrail-local",
    global_default_address_space: "opencontrail-global",
};

/// The IPAM driver.
pub struct Ipam {
    pub(super) attacher: Attacher,
    /// The project of networks that are named alone, with its domain.
    pub(super) project: FqName,
    /// This host's name in the annotations of networks.
    node: String,
    pub(super) store: Store,
    /// Serialises calls on one pool, by its id, and changes of the subnets of one network.
    pub(super) locks: KeyedLock,
}

impl Ipam {
    /// The driver, with what an earlier run has left in `state_dir`. Makes no request.
    ///
    /// # Errors
    /// If the directory cannot be used.
    pub fn new(
        attacher: Attacher,
        project: FqName,
        node: String,
        state_dir: &Path,
    ) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            attacher,
            project,
            node,
            store: Store::open(&state_dir.join("ipam"))?,
            locks: KeyedLock::default(),
        }))
    }

    /// `IpamDriver.GetCapabilities`: requested once after each start of an engine, before it requests again
    /// what it holds.
    pub fn capabilities(&self) -> Reply {
        self.store.lock().engine_started();
        Reply::IpamCapabilities(IpamCapabilities {
            requires_mac_address: false,
            requires_request_replay: true,
        })
    }

    /// `IpamDriver.GetDefaultAddressSpaces`.
    pub fn address_spaces(&self) -> Reply {
        Reply::AddressSpaces(ADDRESS_SPACES)
    }

    /// The virtual networks whose pools with this prefix Docker holds.
    pub fn networks_of(&self, prefix: IpNetwork) -> Vec<FqName> {
        let index = self.store.lock();
        let held = index.pools().filter(|entry| entry.holders > 0);
        let held = held.filter_map(|entry| entry.id.parse::<Pool>().ok());
        let of_prefix = held.filter(|pool| pool.prefix == prefix);
        of_prefix.map(|pool| pool.network).collect()
    }

    /// The instance IP that reserves an address of a network: the one that an interface with this address
    /// takes over.
    ///
    /// # Errors
    /// If the state is lost and the API cannot be reached.
    pub fn reservation(&self, network: Uuid, address: IpAddr) -> Result<Option<Uuid>> {
        let known = |ipam: &Self| {
            ipam.store
                .lock()
                .address(network, address)
                .map(|entry| entry.id)
        };
        if let Some(id) = known(self) {
            return Ok(Some(id));
        }
        let end = Deadline::after(PATIENCE);
        let ours = self.attacher.reservations(network, end)?;
        let found = ours
            .into_iter()
            .find(|ip| is_of_ipam(ip) && ip.address == address);
        Ok(found.map(|ip| ip.id))
    }

    /// Serialises changes of the subnets of a network, and choices among them.
    pub(super) fn lock_network(&self, network: &FqName, end: Deadline) -> Result<Guard<'_>> {
        self.locks.lock(&format!("virtual network {network}"), end)
    }

    /// The names of the annotations by which a pool is registered on its virtual network: one for each name
    /// that this host has had.
    pub(super) fn user_keys(&self, pool: &str) -> Vec<String> {
        let names = self.attacher.names().into_iter();
        let id = store::uuid_of(pool);
        names.map(|name| User::pool(&name, id).key).collect()
    }

    /// A pool as a user of its virtual network.
    pub(super) fn user(&self, pool: &str) -> User {
        User::pool(&self.node, store::uuid_of(pool))
    }
}
