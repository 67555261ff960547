//! Who attaches, with what, and where it keeps what must survive it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::agent::Agent;
use crate::api::Client;
use crate::attach::error::Result;
use crate::kernel::Dataplane;
use crate::ownership::Maker;
use crate::state::lock::InterfaceLock;
use crate::values::Deadline;

/// The outside world of an attachment: the API, the agent and the kernel.
#[derive(Clone)]
pub struct Backend {
    /// The configuration API.
    pub client: Client,
    /// This host's vRouter agent.
    pub agent: Agent,
    /// This host's kernel.
    pub dataplane: Arc<dyn Dataplane>,
}

/// The host that attaches containers, and where it keeps what must survive a call.
#[derive(Clone, Debug)]
pub struct Host {
    /// The program, the host and the machine that objects are marked with.
    pub maker: Maker,
    /// The directory of locks and other state of this boot.
    pub run_dir: PathBuf,
    /// The directory of state that survives a reboot: deferred removals, networks that this host made.
    pub state_dir: PathBuf,
    /// How long attaching may take as a whole. The last quarter is reserved for rolling back an attach
    /// that fails.
    pub attach_timeout: Duration,
    /// How long detaching may take before the remaining removals are deferred.
    pub detach_timeout: Duration,
}

impl Host {
    /// The name of this host: part of every computed id.
    pub fn node(&self) -> &str {
        &self.maker.node
    }
}

/// Attaches containers of one host to virtual networks, and detaches them.
#[derive(Clone)]
pub struct Attacher {
    pub(crate) backend: Backend,
    pub(crate) host: Host,
}

impl Attacher {
    /// An attacher for the containers of `host`.
    pub fn new(backend: Backend, host: Host) -> Self {
        Self { backend, host }
    }

    /// The configuration API, for requests outside an attachment; all calls end by the deadline.
    pub fn client(&self, deadline: Deadline) -> Client {
        self.backend.client.until(deadline)
    }

    /// Takes the locks of the interfaces, always in the same order: two calls for the same container
    /// wait for each other and never deadlock.
    pub(crate) fn lock(&self, ids: &[Uuid], deadline: Deadline) -> Result<Vec<InterfaceLock>> {
        let mut ids = ids.to_vec();
        ids.sort();
        ids.dedup();
        let locks = ids
            .into_iter()
            .map(|id| InterfaceLock::acquire(&self.host.run_dir, id, deadline));
        Ok(locks.collect::<crate::Result<_>>()?)
    }
}
