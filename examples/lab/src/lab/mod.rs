//! A whole lab in this process: four services and a data plane over one configuration.

mod listeners;
mod made;
mod options;
mod shared;

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use contrail_core::{Error, Result};
use tokio::sync::watch;

use self::listeners::Listeners;
use self::made::Made;
pub use self::options::{CLIENT_ENVIRONMENT, LabOptions, NAME_RULE, is_name};
pub use self::shared::Restartable;
pub(crate) use self::shared::Shared;
use crate::agent::{Agent, AgentOptions};
use crate::config::{Auth, ConfigApi, snapshot};
use crate::dataplane::{DataPlane, Inputs, Notifier, PlaneOptions};
use crate::faults::Faults;
use crate::http::{Server, Watch};
use crate::keeper::Keeper;
use crate::keystone::Keystone;
use crate::request_log::RequestLog;
use crate::status::{Addresses, Status};
use crate::steer::Steer;

/// A running lab. Dropping it stops it.
pub struct Lab {
    shared: Arc<Shared>,
    control: Option<Server>,
    plane: Option<DataPlane>,
    keeper: Option<Keeper>,
    stop_wanted: watch::Receiver<bool>,
    made: Made,
}

impl Lab {
    /// Starts a lab; returns when it serves.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad name; [`Error::System`] or [`Error::File`] when an address is in
    /// use, a directory cannot be made, or the data plane was asked for and is not allowed.
    pub fn start(options: LabOptions) -> Result<Self> {
        if !is_name(&options.name) {
            return Err(Error::invalid("lab name", options.name, NAME_RULE));
        }
        // First, because it fails most: nothing has to be undone.
        let listeners = Listeners::bind(&options)?;
        let snapshot_dir = options.snapshot.as_deref().and_then(Path::parent);
        let made = Made::for_directories(snapshot_dir.into_iter().chain([&*options.ports_dir]));
        let keystone = Arc::new(Keystone::new(options.users.clone()));
        keystone.register_config_api(listeners.addresses()?.config_api.port());
        let config = config_api(&options, &keystone)?;
        let agent_slot: Arc<OnceLock<Arc<Agent>>> = Arc::default();
        let plane = data_plane(&options, &config, &agent_slot)?;
        let notifier = plane.notifier().clone();
        let agent = agent(&options, &config, &notifier)?;
        // This is the only place that sets it.
        let _ = agent_slot.set(Arc::clone(&agent));
        agent.restart();
        let told = notifier.clone();
        config.on_change(move || told.changed());
        let keep = |path| Keeper::start(&config, path);
        let keeper = options.snapshot.map(keep).transpose()?;
        let (stop, stop_wanted) = watch::channel(false);
        let shared = Arc::new(Shared {
            name: options.name,
            ports_dir: options.ports_dir,
            watch: Watch::default(),
            config,
            keystone,
            agent,
            notifier,
            addresses: listeners.addresses()?,
            servers: Mutex::default(),
            stop,
        });
        let control = shared.serve(listeners, Arc::new(Steer::new(&shared)))?;
        Ok(Self {
            shared,
            control: Some(control),
            plane: Some(plane),
            keeper,
            stop_wanted,
            made,
        })
    }

    /// Where the services listen.
    pub fn addresses(&self) -> Addresses {
        self.shared.addresses()
    }

    /// The faults to play.
    pub fn faults(&self) -> &Faults {
        &self.shared.watch.faults
    }

    /// Every request to every service.
    pub fn request_log(&self) -> &RequestLog {
        &self.shared.watch.log
    }

    /// The configuration API.
    pub fn config(&self) -> &ConfigApi {
        &self.shared.config
    }

    /// The lab at this moment.
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// Returns when the kernel has followed all changes so far.
    pub fn settle(&self) {
        self.shared.settle();
    }

    /// Closes a service's port and its connections; clients see a refusal.
    pub fn stop_service(&self, service: Restartable) {
        self.shared.stop_service(service);
    }

    /// Opens a service's port again.
    ///
    /// # Errors
    /// [`Error::System`] when somebody else has the port by now.
    pub fn start_service(&self, service: Restartable) -> Result<()> {
        self.shared.start_service(service)
    }

    /// Becomes true when the control endpoint is asked to stop the lab.
    pub fn stop_wanted(&self) -> watch::Receiver<bool> {
        self.stop_wanted.clone()
    }

    /// Stops everything and removes it from the kernel. Port files stay, for the next lab.
    ///
    /// # Errors
    /// What could not be removed.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        for service in [
            Restartable::Agent,
            Restartable::ConfigApi,
            Restartable::Keystone,
        ] {
            self.shared.stop_service(service);
        }
        drop(self.keeper.take());
        let stopped = self.plane.take().map_or(Ok(()), DataPlane::stop);
        self.made.remove_empty();
        // Last: whoever asked for the end watches it.
        drop(self.control.take());
        stopped
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Err(e) = self.end() {
            log::warn!("{}", contrail_core::error::report(&e));
        }
    }
}

/// The configuration API, with what the snapshot file holds when there is one.
fn config_api(options: &LabOptions, keystone: &Arc<Keystone>) -> Result<Arc<ConfigApi>> {
    let auth = match (options.authentication, options.rbac) {
        (true, true) => Auth::Rbac(Arc::clone(keystone)),
        (true, false) => Auth::Keystone(Arc::clone(keystone)),
        (false, _) => Auth::None,
    };
    let saved = match &options.snapshot {
        Some(path) if path.exists() => {
            let state = snapshot::load(path);
            Some(state.map_err(|e| Error::file("read", path, e))?)
        }
        _ => None,
    };
    let config = match saved {
        Some(state) => ConfigApi::with_state(state, auth, &keystone.projects()),
        None => ConfigApi::new(auth, &keystone.projects()),
    };
    let config = match &options.cluster_id {
        Some(id) => config.with_cluster_id(id),
        None => config,
    };
    Ok(Arc::new(config.with_processes()))
}

fn data_plane(
    options: &LabOptions,
    config: &Arc<ConfigApi>,
    agent: &Arc<OnceLock<Arc<Agent>>>,
) -> Result<DataPlane> {
    let (config, agent) = (Arc::clone(config), Arc::clone(agent));
    let plane = PlaneOptions {
        lab: options.name.clone(),
        mode: options.data_plane,
        nft: options.nft.clone(),
    };
    let inputs = Inputs {
        subscriptions: Box::new(move || {
            agent
                .get()
                .map(|agent| agent.subscriptions())
                .unwrap_or_default()
        }),
        view: Box::new(move || config.view()),
    };
    DataPlane::start(plane, inputs)
}

fn agent(options: &LabOptions, config: &Arc<ConfigApi>, notifier: &Notifier) -> Result<Arc<Agent>> {
    let (all, parts) = (Arc::clone(config), Arc::clone(config));
    let (links, changes) = (notifier.clone(), notifier.clone());
    Agent::new(AgentOptions {
        ports_dir: options.ports_dir.clone(),
        sync_timeout: options.sync_timeout,
        view: Box::new(move || all.view()),
        view_of_interface: Box::new(move |id| parts.view_of_interface(id)),
        link_exists: Box::new(move |name| links.link_exists(name)),
        changed: Box::new(move || changes.settle()),
    })
    .map_err(|e| Error::file("make the directory", &options.ports_dir, e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataplane::Mode;

    #[test]
    fn a_lab_that_cannot_start_leaves_no_directory() {
        let outer = tempfile::tempdir().unwrap();
        let file = outer.path().join("file");
        std::fs::write(&file, "").unwrap();
        let mut options = LabOptions::new(outer.path().join("var/ports"));
        options.data_plane = Mode::Off;
        options.snapshot = Some(file.join("configuration.json"));
        assert!(Lab::start(options).is_err());
        assert!(!outer.path().join("var").exists());
    }
}
