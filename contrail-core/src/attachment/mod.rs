//! Attaching a container to virtual networks and detaching it again: the use case that everything
//! else in this crate serves, and the only place that sees the API, the agent and the kernel.
//!
//! Attaching takes three rounds of requests, whatever the number of interfaces and networks:
//!
//! 1. read the network ∥ create the virtual machine ∥ create the VM interface ∥ make the veth pair
//! 2. link the VM interface to the virtual machine ∥ create the instance IPs
//! 3. read the addresses that the API chose
//!
//! Then the container's end is configured and the vRouter agent is told. A failure undoes what this
//! call did; detaching runs the same typed steps. All ids are computed ([`crate::identity`]), so both
//! can be repeated after a crash of any kind.

mod address;
mod attach;
mod call;
mod check;
mod clean;
mod collect;
mod departure;
mod detach;
mod endpoint;
mod keep;
mod leaving;
mod machines;
mod membership;
mod network;
mod nodes;
pub(crate) mod objects;
mod orphans;
mod pending;
mod plug;
mod reservation;
mod reserve;
mod returns;
mod service;
mod status;
pub mod subnets;
mod types;
mod undo;
mod uses;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::agent::Agent;
use crate::api::Client;
use crate::deadline::Deadline;
use crate::net::Dataplane;

pub use check::Expected;
pub use clean::{Cleaned, Decided, Fate};
pub use detach::Detached;
pub use endpoint::{Endpoint, EndpointAddress, Found as FoundEndpoint, Joined};
pub use keep::Kept;
pub use machines::IdleMachine;
pub use network::{Network, docker_users, is_owned};
pub use objects::DOCKER_USER;
pub use orphans::Orphan;
pub use pending::PendingRemoval;
pub use reservation::{Reservation, Reserve};
pub use service::{KeptService, Service, warn_of};
pub use status::Status;
pub use types::{Assigned, Attached, Attachment, Detachment, NetworkSpec, Pool, SubnetSpec};
pub use undo::Step;

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

/// Who attaches, and where it keeps what must survive it.
#[derive(Clone, Debug)]
pub struct Host {
    /// This host's name: part of every computed id.
    pub node: String,
    /// The id of this machine, where it is known: names are given to other machines later.
    pub machine: Option<Uuid>,
    /// The program that attaches, for the owner mark: `cni`, `cnm`.
    pub owner: String,
    /// Where locks and other state of this boot live.
    pub run_dir: PathBuf,
    /// Where state that survives a reboot lives: pending deletes, networks that this host made.
    pub state_dir: PathBuf,
    /// How long attaching may take as a whole: its last quarter is kept for undoing one that fails.
    pub attach_timeout: Duration,
    /// How long detaching may take before what is left goes to the pending deletes.
    pub detach_timeout: Duration,
}

/// Attaches containers of one host to virtual networks, and detaches them.
#[derive(Clone)]
pub struct Attacher {
    backend: Backend,
    host: Host,
}

impl Attacher {
    /// An attacher for the containers of `host`.
    pub fn new(backend: Backend, host: Host) -> Self {
        Self { backend, host }
    }

    /// The configuration API, for questions that are no attachment; all calls end by the deadline.
    pub fn client(&self, deadline: Deadline) -> Client {
        self.backend.client.until(deadline)
    }
}
