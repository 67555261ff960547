//! What the lab and its control endpoint share: the services, and the servers that can be stopped
//! and started.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contrail_core::{Error, Result};
use tokio::sync::watch;

use super::listeners::{Listeners, bind};
use crate::agent::Agent;
use crate::config::ConfigApi;
use crate::dataplane::Notifier;
use crate::http::{Server, Service, ServiceName, Watch};
use crate::keystone::Keystone;
use crate::status::{Addresses, Status};
use crate::trace::{Question, Trace};

/// What the lab and its control endpoint share.
pub(crate) struct Shared {
    pub(super) name: String,
    pub(super) ports_dir: PathBuf,
    pub(super) watch: Watch,
    pub(super) config: Arc<ConfigApi>,
    pub(super) keystone: Arc<Keystone>,
    pub(super) agent: Arc<Agent>,
    pub(super) notifier: Notifier,
    pub(super) addresses: Addresses,
    pub(super) servers: Mutex<Servers>,
    pub(super) stop: watch::Sender<bool>,
}

/// The services that can be stopped and started while the lab runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restartable {
    /// The configuration API. What it knows stays, as in its database.
    ConfigApi,
    /// Keystone.
    Keystone,
    /// The agent. It comes back with what its port files say.
    Agent,
}

#[derive(Default)]
pub(super) struct Servers {
    config_api: Option<Server>,
    keystone: Option<Server>,
    agent: Option<Server>,
}

impl Servers {
    fn slot(&mut self, service: Restartable) -> &mut Option<Server> {
        match service {
            Restartable::ConfigApi => &mut self.config_api,
            Restartable::Keystone => &mut self.keystone,
            Restartable::Agent => &mut self.agent,
        }
    }
}

impl Shared {
    pub(super) fn serve(&self, listeners: Listeners, control: Arc<dyn Service>) -> Result<Server> {
        let start = |listener, name, service| {
            Server::start(listener, name, service, self.watch.clone())
                .map_err(|e| Error::system(format!("serve {name}"), e))
        };
        let config_api: Arc<dyn Service> = self.config.clone();
        let config_api = start(listeners.config_api, ServiceName::ConfigApi, config_api)?;
        let keystone: Arc<dyn Service> = self.keystone.clone();
        let keystone = start(listeners.keystone, ServiceName::Keystone, keystone)?;
        let agent: Arc<dyn Service> = self.agent.clone();
        let agent = start(listeners.agent, ServiceName::Agent, agent)?;
        *self.servers() = Servers {
            config_api: Some(config_api),
            keystone: Some(keystone),
            agent: Some(agent),
        };
        start(listeners.control, ServiceName::Control, control)
    }

    fn servers(&self) -> MutexGuard<'_, Servers> {
        // Each slot is whole at any time.
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Returns when the kernel has followed all changes so far.
    pub(crate) fn settle(&self) {
        self.notifier.settle();
    }

    pub(crate) fn status(&self) -> Status {
        Status {
            name: self.name.clone(),
            pid: std::process::id(),
            addresses: self.addresses(),
            ports_dir: self.ports_dir.clone(),
            namespace: None,
            problems: Vec::new(),
            networks: Vec::new(),
            ports: Vec::new(),
            chains: Vec::new(),
        }
        .with(&self.config.view(), self.notifier.snapshot())
    }

    pub(crate) fn trace(&self, question: &Question) -> Result<Trace> {
        question.answer(&self.notifier.snapshot())
    }

    pub(crate) fn stop_service(&self, service: Restartable) {
        let server = self.servers().slot(service).take();
        drop(server);
    }

    pub(crate) fn start_service(&self, service: Restartable) -> Result<()> {
        let mut servers = self.servers();
        let slot = servers.slot(service);
        if slot.is_some() {
            return Ok(());
        }
        let addresses = self.addresses();
        let (address, name): (_, ServiceName) = match service {
            Restartable::ConfigApi => (addresses.config_api, ServiceName::ConfigApi),
            Restartable::Keystone => (addresses.keystone, ServiceName::Keystone),
            Restartable::Agent => (addresses.agent, ServiceName::Agent),
        };
        let listener = bind(address, name)?;
        let logic: Arc<dyn Service> = match service {
            Restartable::ConfigApi => self.config.clone(),
            Restartable::Keystone => self.keystone.clone(),
            Restartable::Agent => {
                self.agent.restart();
                self.agent.clone()
            }
        };
        let server = Server::start(listener, name, logic, self.watch.clone());
        *slot = Some(server.map_err(|e| Error::system(format!("serve {name}"), e))?);
        Ok(())
    }

    /// Asks for the end of the lab.
    pub(crate) fn want_stop(&self) {
        self.stop.send_replace(true);
    }
}
