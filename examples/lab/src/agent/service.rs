//! The routes of the port API over the table, the files and the configuration.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use uuid::Uuid;

use super::body::{self, Body};
use super::files::{PortFiles, pretty};
use super::info;
use super::ports::{Kind, Ports, Subscription};
use super::routes::Route;
use crate::http::{Request, Response, Service};
use crate::view::ConfigView;

/// What an agent is made of.
pub struct AgentOptions {
    /// The directory of its port files.
    pub ports_dir: PathBuf,
    /// How long `/syncports` waits before it deletes what was not registered again; 60 s in the
    /// field.
    pub sync_timeout: Duration,
    /// The configuration at this moment.
    pub view: Box<dyn Fn() -> Arc<ConfigView> + Send + Sync>,
    /// The part of it that one VM interface is about.
    pub view_of_interface: Box<dyn Fn(Uuid) -> ConfigView + Send + Sync>,
    /// Whether a network device of that name exists.
    pub link_exists: Box<dyn Fn(&str) -> bool + Send + Sync>,
    /// Called after every change of the table; returns when the change has taken effect.
    pub changed: Box<dyn Fn() + Send + Sync>,
}

/// The agent: a table of ports, their files, and the routes over both.
pub struct Agent {
    options: AgentOptions,
    files: PortFiles,
    ports: Mutex<Ports>,
    myself: Weak<Agent>,
}

impl Agent {
    /// An agent that has not read its files yet: call [`Agent::restart`] before it serves.
    ///
    /// # Errors
    /// When the directory of port files cannot be made.
    pub fn new(options: AgentOptions) -> io::Result<Arc<Self>> {
        let files = PortFiles::new(options.ports_dir.clone())?;
        Ok(Arc::new_cyclic(|myself| Self {
            options,
            files,
            ports: Mutex::default(),
            myself: myself.clone(),
        }))
    }

    /// Forgets everything and reads the port files, as a start of the agent does.
    pub fn restart(&self) {
        let loaded = self.files.load(&self.options.link_exists);
        {
            let mut ports = self.ports();
            ports.clear();
            for mut port in loaded {
                port.time = now();
                ports.add(port);
            }
        }
        (self.options.changed)();
    }

    /// The registered ports, by id.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        self.ports().list()
    }

    fn ports(&self) -> MutexGuard<'_, Ports> {
        // Every change of the table is one call: a panic elsewhere does not spoil it.
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a port. A file that cannot be written means that the port is not added, and the
    /// client is not told.
    fn add(&self, mut port: Subscription) {
        port.time = now();
        if let Err(e) = self.files.create(&port) {
            log::error!("cannot write {}: {e}", self.files.path(port.id).display());
            return;
        }
        self.ports().add(port);
    }

    fn add_ports(&self, body: &[u8], effect: bool) -> Response {
        let ports = match body::parse(body) {
            Err(refusal) => return refused(&refusal),
            Ok(Body::One(object)) => match body::port(&object) {
                Ok(port) => vec![port],
                Err(refusal) => return refused(&refusal),
            },
            // One bad element and nothing happens, and the answer is success.
            Ok(Body::Many(items)) => items
                .iter()
                .map(|item| item.as_object().and_then(|object| body::port(object).ok()))
                .collect::<Option<Vec<_>>>()
                .unwrap_or_default(),
        };
        if effect {
            ports.into_iter().for_each(|port| self.add(port));
            (self.options.changed)();
        }
        done()
    }

    /// Registers a port of the Kubernetes kind. Its files are its client's: none is written here,
    /// and a restart forgets it.
    fn add_vm(&self, body: &[u8], effect: bool) -> Response {
        match body::vm_port(body) {
            Err(refusal) => refused(&refusal),
            Ok(mut port) => {
                if effect && !port.id.is_nil() {
                    port.time = now();
                    self.ports().add(port);
                    (self.options.changed)();
                }
                done()
            }
        }
    }

    fn port(&self, id: Uuid) -> Response {
        let all = self.subscriptions();
        let view = (self.options.view_of_interface)(id);
        all.iter()
            .find(|port| port.id == id)
            .and_then(|port| info::port_info(port, &all, &view))
            .map_or_else(not_found, |info| found(&info))
    }

    fn delete(&self, id: Uuid) -> Response {
        if id.is_nil() {
            return done();
        }
        self.ports().remove(id);
        if let Err(e) = self.files.remove(id) {
            log::warn!("cannot remove {}: {e}", self.files.path(id).display());
        }
        (self.options.changed)();
        done()
    }

    /// Answers `GET /vm/<vm>`: all ports that the configuration gives the machine, or none of them
    /// as long as one is not ready.
    fn vm(&self, machine: Uuid, only: Option<Uuid>) -> Response {
        let all = self.subscriptions();
        let view = (self.options.view)();
        let infos: Option<Vec<_>> = view
            .interfaces
            .iter()
            .filter(|interface| match only {
                Some(id) => interface.uuid == id,
                None => interface.machine == Some(machine),
            })
            .map(|interface| {
                let port = all.iter().find(|port| port.id == interface.uuid)?;
                info::port_info(port, &all, &view)
            })
            .collect();
        match infos {
            Some(infos) if !infos.is_empty() => found(&infos),
            _ => not_found(),
        }
    }

    fn delete_vm(&self, machine: Uuid) -> Response {
        let pods = self.subscriptions().into_iter();
        let pods: Vec<Uuid> = pods
            .filter(|port| port.kind == Kind::Pod && port.instance_id == machine)
            .map(|port| port.id)
            .collect();
        for id in pods {
            self.ports().remove(id);
        }
        (self.options.changed)();
        done()
    }

    fn set_link_state(&self, id: Uuid, state: u8) -> Response {
        let port = {
            let mut ports = self.ports();
            match ports.get_mut(id) {
                None => return failed(&format!("{{Port Not found {id}}}"), 500),
                Some(port) if port.kind != Kind::Remote => {
                    return failed(&format!("{{Incorrect Port type for {id}}}"), 500);
                }
                Some(port) => {
                    port.link_state = state;
                    port.clone()
                }
            }
        };
        if let Err(e) = self.files.write(&port) {
            log::error!("cannot write {}: {e}", self.files.path(id).display());
        }
        (self.options.changed)();
        done()
    }

    /// Starts an audit and the timer that ends it.
    fn sync(&self) -> Response {
        let version = self.ports().begin_audit();
        let timeout = self.options.sync_timeout;
        let myself = self.myself.clone();
        let timer = std::thread::Builder::new().name("syncports".into());
        let started = timer.spawn(move || {
            std::thread::sleep(timeout);
            if let Some(agent) = myself.upgrade() {
                agent.end_audit(version);
            }
        });
        if let Err(e) = started {
            log::error!("cannot start the timer of syncports: {e}");
        }
        done()
    }

    fn end_audit(&self, version: u64) {
        let stale = self.ports().end_audit(version);
        for id in stale {
            log::info!("port {id} was not registered again: deleted");
            if let Err(e) = self.files.remove(id) {
                log::warn!("cannot remove {}: {e}", self.files.path(id).display());
            }
        }
        (self.options.changed)();
    }

    /// Answers a request; without `effect` it answers what success would have answered.
    fn respond(&self, request: &Request, effect: bool) -> Response {
        let Some(route) = Route::of(&request.method, &request.path) else {
            return unknown();
        };
        match route {
            Route::AddPort => self.add_ports(&request.body, effect),
            Route::AddVm => self.add_vm(&request.body, effect),
            Route::Port(id) => self.port(id),
            Route::Vm { machine, interface } => self.vm(machine, interface),
            Route::VmConfig(name) => info::vm_config(name, &(self.options.view)())
                .map_or_else(not_found, |ports| found(&ports)),
            Route::Gateway => failed("{ Operation Not Supported }", 500),
            _ if !effect => done(),
            Route::DeletePort(id) => self.delete(id),
            Route::DeleteVm(machine) => self.delete_vm(machine),
            Route::EnablePort(id) => self.set_link_state(id, 1),
            Route::DisablePort(id) => self.set_link_state(id, 0),
            Route::Sync => self.sync(),
        }
    }
}

impl Service for Agent {
    fn handle(&self, request: &Request) -> Response {
        self.respond(request, true)
    }

    fn pretend(&self, request: &Request) -> Response {
        self.respond(request, false)
    }
}

fn answer(status: u16, body: Vec<u8>) -> Response {
    Response {
        reason: "OK",
        ..Response::new(status, "application/json; charset=UTF-8", body)
    }
}

fn done() -> Response {
    answer(200, b"{}".to_vec())
}

fn found(value: &impl serde::Serialize) -> Response {
    answer(200, pretty(value))
}

fn failed(error: &str, status: u16) -> Response {
    answer(status, json!({ "error": error }).to_string().into_bytes())
}

fn refused(refusal: &str) -> Response {
    failed(&format!("{{ {refusal} }}"), 500)
}

fn not_found() -> Response {
    failed("{ Not Found }", 404)
}

fn unknown() -> Response {
    failed("Unknown Request", 404)
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |time| time.as_micros() as u64)
}
