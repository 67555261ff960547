//! The addresses that a lab listens on, taken before anything else is done.

use std::net::{SocketAddr, TcpListener};

use contrail_core::{Error, Result};

use super::options::LabOptions;
use crate::http::ServiceName;
use crate::status::Addresses;

/// The ports of all services, before anybody serves on them.
pub(super) struct Listeners {
    pub(super) config_api: TcpListener,
    pub(super) keystone: TcpListener,
    pub(super) agent: TcpListener,
    pub(super) control: TcpListener,
}

impl Listeners {
    pub(super) fn bind(options: &LabOptions) -> Result<Self> {
        Ok(Self {
            config_api: bind(options.config_api, ServiceName::ConfigApi)?,
            keystone: bind(options.keystone, ServiceName::Keystone)?,
            agent: bind(options.agent, ServiceName::Agent)?,
            control: bind(options.control, ServiceName::Control)?,
        })
    }

    pub(super) fn addresses(&self) -> Result<Addresses> {
        Ok(Addresses {
            config_api: local_address(&self.config_api)?,
            keystone: local_address(&self.keystone)?,
            agent: local_address(&self.agent)?,
            control: local_address(&self.control)?,
        })
    }
}

pub(super) fn bind(address: SocketAddr, name: ServiceName) -> Result<TcpListener> {
    let (what, option) = match name {
        ServiceName::ConfigApi => ("the configuration API", "--config-api"),
        ServiceName::Keystone => ("Keystone", "--keystone"),
        ServiceName::Agent => ("the vRouter agent", "--agent"),
        ServiceName::Control => ("the control endpoint", "--control"),
    };
    let operation =
        || format!("listen on {address} for {what}, which {option} gives another address");
    TcpListener::bind(address).map_err(|e| Error::system(operation(), e))
}

fn local_address(listener: &TcpListener) -> Result<SocketAddr> {
    let address = listener.local_addr();
    address.map_err(|e| Error::system("read a listener's address", e))
}
