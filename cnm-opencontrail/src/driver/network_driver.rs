//! The network driver itself: what all of its calls share, and the calls with constant answers.

use std::path::Path;
use std::sync::Arc;

use contrail_core::api::Client;
use contrail_core::attach::Attacher;
use contrail_core::{Deadline, FqName};

use super::chain_loss::ChainLoss;
use super::store::{EndpointEntry, Store};
use crate::ipam::{ADDRESS_SPACES, Ipam};
use crate::keyed_lock::KeyedLock;
use crate::network_users;
use crate::proto::{
    AllocateNetwork, GatewayCheck, IpamData, NetworkCapabilities, NetworkId, Options, Reply, Scope,
};

/// The network driver.
pub struct NetworkDriver {
    pub(super) attacher: Attacher,
    pub(super) ipam: Arc<Ipam>,
    /// The project of networks that are named alone, with its domain.
    pub(super) project: FqName,
    /// This host's name in the annotations of networks.
    pub(super) node: String,
    scope: Scope,
    pub(super) store: Store,
    /// Serialises calls on one network or endpoint, by its id.
    pub(super) locks: KeyedLock,
    pub(super) chain_loss: ChainLoss,
}

impl NetworkDriver {
    /// The driver, with what an earlier run has left in `state_dir`. Makes no request.
    pub fn new(
        attacher: Attacher,
        ipam: Arc<Ipam>,
        project: FqName,
        node: String,
        scope: Scope,
        state_dir: &Path,
    ) -> Self {
        let store = Store::new(state_dir);
        Self {
            attacher,
            ipam,
            project,
            node,
            scope,
            store,
            locks: KeyedLock::default(),
            chain_loss: ChainLoss::default(),
        }
    }

    /// `NetworkDriver.GetCapabilities`.
    pub fn capabilities(&self) -> Reply {
        Reply::NetworkCapabilities(NetworkCapabilities {
            scope: self.scope,
            connectivity_scope: self.scope,
        })
    }

    /// `NetworkDriver.GwAllocCheck`: Docker must not leave the gateway's address out.
    pub fn gateway_check(&self) -> Reply {
        Reply::GatewayCheck(GatewayCheck::default())
    }

    /// `NetworkDriver.AllocateNetwork`: what the manager of a swarm passes on to its nodes. The user's
    /// options replace themselves, or they would be lost.
    pub fn allocate_network(&self, request: &AllocateNetwork) -> Reply {
        Reply::Allocated {
            options: request.options.clone(),
        }
    }

    /// `NetworkDriver.EndpointOperInfo`: nothing that the engine does not know.
    pub fn endpoint_info(&self) -> Reply {
        Reply::Info {
            value: Options::new(),
        }
    }

    pub(super) fn client(&self, end: Deadline) -> Client {
        self.attacher.client(end)
    }

    /// Whether a pool is one of this plugin's own IPAM driver.
    pub(super) fn is_own(&self, pool: &IpamData) -> bool {
        let spaces = [
            ADDRESS_SPACES.local_default_address_space,
            ADDRESS_SPACES.global_default_address_space,
        ];
        spaces.contains(&pool.address_space.as_str())
    }

    /// The attacher under the name of this host under which an endpoint was made: its ids follow from that.
    pub(super) fn attacher_of(&self, entry: &EndpointEntry) -> Attacher {
        self.attacher
            .named(entry.node.as_deref().unwrap_or(&self.node))
    }

    /// The attachers under all names under which an endpoint may have been made: one, if that is recorded.
    pub(super) fn attachers_of(&self, entry: &EndpointEntry) -> Vec<Attacher> {
        let names = match &entry.node {
            Some(name) => vec![name.clone()],
            None => self.attacher.names(),
        };
        names.iter().map(|name| self.attacher.named(name)).collect()
    }

    /// The names of the annotations by which a Docker network of this host is registered on its virtual
    /// network: one for each name that the host has had, the present one first.
    pub(super) fn user_keys(&self, id: &NetworkId) -> Vec<String> {
        let names = self.attacher.names().into_iter();
        let keys = names.map(|name| network_users::network_key(&name, id.as_str()));
        keys.collect()
    }
}
