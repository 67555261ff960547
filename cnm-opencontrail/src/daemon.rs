//! The whole plugin: the IPAM driver behind the engine's calls.

use std::sync::Arc;

use contrail_core::FqName;
use contrail_core::settings::Settings;

use crate::error::{Error, Result};
use crate::ipam::{ADDRESS_SPACES, Ipam};
use crate::plugin::Plugin;
use crate::proto::{Call, Reply, Scope};

/// The name in the marks of objects and in the API's audit log.
const PROGRAM: &str = "cnm-opencontrail";

/// Everything behind the socket.
pub struct Daemon {
    ipam: Arc<Ipam>,
    _scope: Scope,
}

impl Daemon {
    /// The plugin, ready to answer. Asks nobody, so it starts with a dead controller too.
    ///
    /// # Errors
    /// When the state directory or a certificate cannot be used.
    pub fn new(settings: &Settings, scope: Scope) -> Result<Self> {
        let project = FqName::new([&*settings.domain, &*settings.project]);
        let ipam = Ipam::new(settings.attacher(PROGRAM)?, project, &settings.state_dir)?;
        Ok(Self {
            ipam,
            _scope: scope,
        })
    }

    /// Does what could not be done when the engine asked for it, because the API or the agent was
    /// down.
    pub fn tidy(&self) {
        self.ipam.tidy();
    }

    /// The IPAM driver.
    pub fn ipam(&self) -> &Arc<Ipam> {
        &self.ipam
    }
}

impl Plugin for Daemon {
    fn answer(&self, call: Call) -> Result<Reply> {
        match call {
            Call::Activate => Ok(Reply::Implements {
                implements: &["IpamDriver"],
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
