//! The whole plugin: the network driver and the IPAM driver behind the engine's calls.

use std::sync::Arc;
use std::time::Duration;

use contrail_core::attach::Attacher;
use contrail_core::settings::Settings;
use contrail_core::{Deadline, FqName};

use crate::driver::{CleanUp, NetworkDriver};
use crate::error::{Error, Result};
use crate::ipam::{ADDRESS_SPACES, Ipam};
use crate::plugin::Plugin;
use crate::proto::{Call, Reply, Scope};

/// The name in the marks of objects and in the API's audit log.
const PROGRAM: &str = "cnm-opencontrail";

/// How long each part of tidying up may take.
const PATIENCE: Duration = Duration::from_secs(9);

/// Everything behind the socket.
pub struct Daemon {
    attacher: Attacher,
    driver: NetworkDriver,
    ipam: Arc<Ipam>,
}

impl Daemon {
    /// The plugin, ready to answer. Asks nobody, so it starts with a dead controller too.
    ///
    /// # Errors
    /// When the state directory or a certificate cannot be used.
    pub fn new(settings: &Settings, scope: Scope) -> Result<Self> {
        let project = FqName::new([&*settings.domain, &*settings.project]);
        let attacher = settings.attacher(PROGRAM)?;
        let (node, dir) = (settings.node.clone(), &settings.state_dir);
        let ipam = Ipam::new(attacher.clone(), project.clone(), node.clone(), dir)?;
        let own = Arc::clone(&ipam);
        let driver = NetworkDriver::new(attacher.clone(), own, project, node, scope, dir);
        Ok(Self {
            attacher,
            driver,
            ipam,
        })
    }

    /// Does what could not be done when the engine asked for it, because the API or the agent was
    /// down; then looks whether running containers are still connected.
    pub fn tidy(&self) {
        // In the order in which Docker takes things away: interfaces have addresses of networks.
        self.attacher.work_off_pending(Deadline::after(PATIENCE));
        self.ipam.tidy();
        if let Err(error) = self.driver.tidy() {
            log::warn!("put off: {}", contrail_core::error::report(&error));
        }
        self.driver.keep();
    }

    /// Removes what nobody will ask for again, see [`NetworkDriver::clean`].
    ///
    /// # Errors
    /// As that says.
    pub fn clean(&self, grace: Option<Duration>, end: Deadline) -> Result<CleanUp> {
        self.driver.clean(grace, end)
    }

    /// The IPAM driver.
    pub fn ipam(&self) -> &Arc<Ipam> {
        &self.ipam
    }
}

impl Plugin for Daemon {
    fn answer(&self, call: Call) -> Result<Reply> {
        if let Some(answer) = self.driver.answer(&call) {
            return answer;
        }
        match call {
            Call::Activate => Ok(Reply::Implements {
                implements: &["NetworkDriver", "IpamDriver"],
            }),
            Call::IpamCapabilities => Ok(self.ipam.capabilities()),
            Call::AddressSpaces => Ok(Reply::AddressSpaces(ADDRESS_SPACES)),
            Call::RequestPool(request) => self.ipam.request_pool(&request),
            Call::ReleasePool(request) => self.ipam.release_pool(&request),
            Call::RequestAddress(request) => self.ipam.request_address(&request),
            Call::ReleaseAddress(request) => self.ipam.release_address(&request),
            other => Err(Error::UnknownMethod {
                path: format!("{other:?}"),
            }),
        }
    }
}
