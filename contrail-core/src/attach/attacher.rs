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

/// How long detaching waits for the API and the agent before it defers what is left: a runtime that
/// removes a container does not wait for a controller.
pub(crate) const DETACH_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// A host on which attaching may take 20 seconds, and detaching 5 before it defers what is left.
    ///
    /// ```
    /// use contrail_core::attach::Host;
    /// use contrail_core::ownership::Maker;
    ///
    /// let maker = Maker { program: "my-program".into(), node: "node1".into(), machine: None };
    /// let host = Host::new(maker, "/run/my-program", "/var/lib/my-program");
    /// assert_eq!((host.node(), host.detach_timeout.as_secs()), ("node1", 5));
    /// ```
    pub fn new(maker: Maker, run_dir: impl Into<PathBuf>, state_dir: impl Into<PathBuf>) -> Self {
        Self {
            maker,
            run_dir: run_dir.into(),
            state_dir: state_dir.into(),
            attach_timeout: Duration::from_secs(20),
            detach_timeout: DETACH_TIMEOUT,
        }
    }

    /// The name of this host: part of every computed id.
    pub fn node(&self) -> &str {
        &self.maker.node
    }
}

/// Attaches containers of one host to virtual networks, and detaches them.
///
/// All methods block until the API, the agent and the kernel have answered or the deadline passes. An
/// asynchronous program should call them from a thread for blocking work, such as Tokio's
/// `spawn_blocking`.
///
/// ```no_run
/// use contrail_core::attach::{Attachment, Detachment, NetworkSpec};
/// use contrail_core::settings::Settings;
///
/// let attacher = Settings::from_env()?.attacher("my-program")?;
/// let network = NetworkSpec::existing("default-domain:admin:net1".parse()?);
/// let attached = attacher.attach(&[Attachment::new("4711", "eth0", "/run/netns/c1", network)])?;
/// println!("{:?}", attached[0].addresses);
///
/// let interface = Detachment { container: "4711".into(), ifname: "eth0".into() };
/// let detached = attacher.detach(&[interface])?;
/// assert_eq!(detached.deferred, 0, "the API or the agent is down");
/// # Ok::<(), contrail_core::attach::Error>(())
/// ```
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

    /// How long attaching may take as a whole.
    pub fn attach_timeout(&self) -> Duration {
        self.host.attach_timeout
    }

    /// The configuration API, for requests outside an attachment; all calls end by the deadline.
    ///
    /// ```no_run
    /// # fn example(attacher: &contrail_core::attach::Attacher) -> contrail_core::Result<()> {
    /// use std::time::Duration;
    ///
    /// use contrail_core::Deadline;
    /// use contrail_core::api::VirtualNetwork;
    ///
    /// let client = attacher.client(Deadline::after(Duration::from_secs(5)));
    /// let id = client.id_of::<VirtualNetwork>(&"default-domain:admin:net1".parse()?)?;
    /// # Ok(()) }
    /// ```
    pub fn client(&self, deadline: Deadline) -> Client {
        self.backend.client.until(deadline)
    }

    /// Who makes the objects of this attacher, as their marks say.
    pub fn maker(&self) -> &Maker {
        &self.host.maker
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
