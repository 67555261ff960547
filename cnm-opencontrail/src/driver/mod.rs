//! The network driver: Docker networks are virtual networks, endpoints are VM interfaces.

mod clean;
mod compare;
mod conflict;
mod endpoint;
mod endpoint_options;
mod keep;
mod names;
mod network;
mod options;
mod recover;
mod removal;
mod services;
mod store;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use contrail_core::api::Client;
use contrail_core::attach::Attacher;
use contrail_core::{Deadline, FqName};

use crate::error::Result;
use crate::ipam::{ADDRESS_SPACES, Ipam};
use crate::making::Making;
use crate::proto::{AllocateNetwork, Call, IpamData, NetworkCapabilities, Options, Reply, Scope};
pub use clean::CleanUp;
pub use endpoint_options::ENDPOINT_OPTIONS;
pub(crate) use network::AUXILIARY;
pub use options::NETWORK_OPTIONS;
use store::Store;

/// How long one call may ask the controller, besides attaching itself.
const PATIENCE: Duration = Duration::from_secs(9);

/// The network driver.
pub struct NetworkDriver {
    attacher: Attacher,
    ipam: Arc<Ipam>,
    /// The project of networks that are named without one, with its domain.
    project: FqName,
    /// This host's name in the marks of networks.
    node: String,
    scope: Scope,
    store: Store,
    making: Making,
    lost: services::Lost,
}

impl NetworkDriver {
    /// The driver, with what an earlier run has left in `state_dir`. Asks nobody.
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
            making: Making::default(),
            lost: services::Lost::default(),
        }
    }

    /// Carries out a call of the network driver's interface; `None` when it is none.
    ///
    /// # Errors
    /// Whatever the call's own function says.
    pub fn answer(&self, call: &Call) -> Option<Result<Reply>> {
        Some(match call {
            Call::NetworkCapabilities => Ok(Reply::NetworkCapabilities(NetworkCapabilities {
                scope: self.scope,
                connectivity_scope: self.scope,
            })),
            Call::GatewayCheck => Ok(Reply::GatewayCheck(Default::default())),
            Call::CreateNetwork(request) => self.create_network(request),
            Call::AllocateNetwork(request) => Ok(allocated(request)),
            // Published ports were spoken about when the endpoint was created.
            Call::FreeNetwork
            | Call::Discover
            | Call::ProgramExternalConnectivity(_)
            | Call::RevokeExternalConnectivity(_) => Ok(Reply::Done {}),
            Call::DeleteNetwork(request) => self.delete_network(&request.network_id),
            Call::CreateEndpoint(request) => self.create_endpoint(request),
            Call::EndpointInfo(_) => Ok(Reply::Info {
                value: Options::new(),
            }),
            Call::Join(request) => self.join(request),
            Call::Leave(request) => self.leave(&request.endpoint_id),
            Call::DeleteEndpoint(request) => self.delete_endpoint(&request.endpoint_id),
            _ => return None,
        })
    }

    fn client(&self, end: Deadline) -> Client {
        self.attacher.client(end)
    }

    /// Whether a pool is one of our own IPAM driver's.
    fn is_own(&self, pool: &IpamData) -> bool {
        let spaces = [
            ADDRESS_SPACES.local_default_address_space,
            ADDRESS_SPACES.global_default_address_space,
        ];
        spaces.contains(&pool.address_space.as_str())
    }
}

/// What the manager of a swarm passes on to its nodes: the user's options replace themselves, or they
/// would be lost.
fn allocated(request: &AllocateNetwork) -> Reply {
    Reply::Allocated {
        options: request.options.clone(),
    }
}
