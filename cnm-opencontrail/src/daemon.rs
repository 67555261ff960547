//! The whole plugin: the network driver and the IPAM driver behind the engine's calls.

use std::sync::Arc;
use std::time::Duration;

use contrail_core::Deadline;
use contrail_core::attach::{Attacher, Cleaned, Waiting};
use contrail_core::settings::Settings;
use contrail_core::state;

use crate::driver::NetworkDriver;
use crate::error::Result;
use crate::ipam::Ipam;
use crate::plugin::{PATIENCE, Plugin};
use crate::proto::{Call, Reply, Scope};

/// The name of the program: in its messages, the marks of objects and the API's audit log.
pub(crate) const PROGRAM: &str = "cnm-opencontrail";

/// The handler behind the socket.
pub struct Daemon {
    attacher: Attacher,
    driver: NetworkDriver,
    ipam: Arc<Ipam>,
}

impl Daemon {
    /// The plugin, ready to answer. Makes no request, so it starts with the controller down.
    ///
    /// # Errors
    /// If the state directory or a certificate cannot be used.
    pub fn new(settings: &Settings, scope: Scope) -> Result<Self> {
        state::prepare(&settings.state_dir)?;
        let project = settings.project_name();
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

    /// Completes what was deferred because the API or the agent was down; then checks that running
    /// containers are still connected.
    pub fn tidy(&self) {
        // In the order in which Docker removes things: interfaces have addresses of networks.
        self.attacher.work_off_pending(Deadline::after(PATIENCE));
        self.ipam.tidy();
        if let Err(error) = self.driver.tidy() {
            log::warn!(
                "removals deferred to the next check: {}",
                contrail_core::error::report(&error)
            );
        }
        self.driver.keep();
    }

    /// How many creations and removals are not complete.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn incomplete(&self) -> Result<usize> {
        let deferred = self.attacher.pending_removals()?.len();
        let incomplete = self.driver.incomplete_labels()?.len();
        Ok(deferred + incomplete + self.ipam.incomplete())
    }

    /// Removes what no container uses any longer, see [`NetworkDriver::clean`].
    ///
    /// # Errors
    /// As that says.
    pub fn clean(&self, grace: Option<Duration>, end: Deadline) -> Result<Cleaned> {
        let mut cleaned = self.driver.clean(grace, end)?;
        let incomplete = self.ipam.incomplete();
        if incomplete > 0 {
            cleaned.waiting.push(Waiting::FrontEnd(format!(
                "addresses and pools that the plugin is still creating or removing: {incomplete}"
            )));
        }
        Ok(cleaned)
    }

    /// The IPAM driver.
    pub fn ipam(&self) -> &Arc<Ipam> {
        &self.ipam
    }
}

impl Plugin for Daemon {
    fn answer(&self, call: Call) -> Result<Reply> {
        let (driver, ipam) = (&self.driver, &self.ipam);
        match call {
            Call::Activate => Ok(Reply::Implements {
                implements: &["NetworkDriver", "IpamDriver"],
            }),
            Call::NetworkCapabilities => Ok(driver.capabilities()),
            Call::GatewayCheck => Ok(driver.gateway_check()),
            Call::CreateNetwork(request) => driver.create_network(&request),
            Call::AllocateNetwork(request) => Ok(driver.allocate_network(&request)),
            Call::DeleteNetwork(request) => driver.delete_network(&request.network_id),
            Call::CreateEndpoint(request) => driver.create_endpoint(&request),
            Call::EndpointInfo(_) => Ok(driver.endpoint_info()),
            Call::Join(request) => driver.join(&request),
            // Published ports were checked when the endpoint was created.
            Call::FreeNetwork
            | Call::Discover
            | Call::ProgramExternalConnectivity(_)
            | Call::RevokeExternalConnectivity(_) => Ok(Reply::Done {}),
            Call::Leave(request) => driver.leave(&request.endpoint_id),
            Call::DeleteEndpoint(request) => driver.delete_endpoint(&request.endpoint_id),
            Call::IpamCapabilities => Ok(ipam.capabilities()),
            Call::AddressSpaces => Ok(ipam.address_spaces()),
            Call::RequestPool(request) => ipam.request_pool(&request),
            Call::ReleasePool(request) => ipam.release_pool(&request),
            Call::RequestAddress(request) => ipam.request_address(&request),
            Call::ReleaseAddress(request) => ipam.release_address(&request),
        }
    }
}
