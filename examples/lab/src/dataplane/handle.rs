//! What the rest of the lab holds of the data plane: how to start, tell, ask and stop it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use contrail_core::error::report;
use contrail_core::{Error, Result};
use serde::Serialize;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use uuid::Uuid;

use super::model::Model;
use super::netlink::Counters;
use super::plane::{run, runtime};
use super::{namespace, wire};
use crate::agent::ports::Subscription;
use crate::view::ConfigView;

/// Longer than any change of the kernel takes; a caller that waits longer goes on.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the lab forwards packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// It does, or does not start.
    On,
    /// It does not: only the APIs are served.
    Off,
    /// It does if this process may.
    #[default]
    Auto,
}

/// Where the data plane reads what it is to do.
pub struct Inputs {
    /// The agent's ports.
    pub subscriptions: Box<dyn Fn() -> Vec<Subscription> + Send>,
    /// The configuration.
    pub view: Box<dyn Fn() -> Arc<ConfigView> + Send>,
}

/// How a data plane is started.
pub struct PlaneOptions {
    /// The lab's name.
    pub lab: String,
    /// Whether it forwards.
    pub mode: Mode,
    /// The `nft` program; found in the path when absent.
    pub nft: Option<PathBuf>,
}

/// A running data plane. It belongs to the network namespace of the thread that started it.
pub struct DataPlane {
    notifier: Notifier,
    thread: Option<JoinHandle<()>>,
}

/// Tells a data plane that its inputs changed.
#[derive(Clone)]
pub struct Notifier(UnboundedSender<Command>);

/// What the thread is told and asked.
pub enum Command {
    /// The inputs changed.
    Changed,
    /// The same; answered when the kernel has followed.
    Settle(mpsc::Sender<()>),
    /// Whether the host has a link of this name.
    LinkExists(String, mpsc::Sender<bool>),
    /// The state at this moment.
    Snapshot(mpsc::Sender<Snapshot>),
    /// Remove everything and end.
    Stop(mpsc::Sender<Result<()>>),
}

/// The state of the data plane at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The namespace of the router; `None` when nothing is forwarded.
    pub namespace: Option<PathBuf>,
    /// What does not work as it should: no forwarding, no packet filter, a failed change.
    pub problems: Vec<String>,
    /// The networks that have ports, and the ports.
    pub model: Model,
    /// What the kernel says of each port.
    pub ports: BTreeMap<Uuid, PortSnapshot>,
}

/// What the kernel says of a port.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PortSnapshot {
    /// The index of the host end; `None` when it does not exist.
    pub ifindex: Option<u32>,
    /// Why the port could not be connected to the router.
    pub problem: Option<String>,
    /// What the host end received from the container and sent to it.
    pub counters: Counters,
}

impl Notifier {
    /// The inputs changed: the kernel follows soon.
    pub fn changed(&self) {
        // A data plane that has stopped needs no news.
        let _ = self.0.send(Command::Changed);
    }

    /// The inputs changed: returns when the kernel has followed.
    pub fn settle(&self) {
        let _ = self.ask(Command::Settle);
    }

    /// Whether the host has a link of this name.
    pub fn link_exists(&self, name: &str) -> bool {
        self.ask(|answer| Command::LinkExists(name.to_owned(), answer))
            .unwrap_or(false)
    }

    /// The state at this moment.
    pub fn snapshot(&self) -> Snapshot {
        self.ask(Command::Snapshot).unwrap_or_default()
    }

    /// `None` when the data plane has stopped or hangs.
    fn ask<T>(&self, command: impl FnOnce(mpsc::Sender<T>) -> Command) -> Option<T> {
        let (answer, answered) = mpsc::channel();
        self.0.send(command(answer)).ok()?;
        answered.recv_timeout(PATIENCE).ok()
    }
}

impl DataPlane {
    /// Starts the thread; returns when it is ready.
    ///
    /// # Errors
    /// With [`Mode::On`], when this process may not forward; else when the host's links cannot be
    /// watched.
    pub fn start(options: PlaneOptions, inputs: Inputs) -> Result<Self> {
        let (commands, received) = unbounded_channel();
        let (ready, is_ready) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("data-plane".into())
            .spawn(move || run(options, inputs, received, &ready))
            .map_err(|e| Error::system("start the data plane's thread", e))?;
        let plane = Self {
            notifier: Notifier(commands),
            thread: Some(thread),
        };
        match is_ready.recv() {
            Ok(Ok(())) => Ok(plane),
            Ok(Err(e)) => Err(e),
            Err(_) => Err(Error::system(
                "start the data plane",
                std::io::ErrorKind::UnexpectedEof.into(),
            )),
        }
    }

    /// How to tell it that something changed.
    pub fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// Removes everything from the kernel and ends the thread.
    ///
    /// # Errors
    /// The first thing that could not be removed.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        let result = self.notifier.ask(Command::Stop).unwrap_or(Ok(()));
        if thread.join().is_err() {
            log::error!("the data plane's thread panicked");
        }
        result
    }
}

impl Drop for DataPlane {
    fn drop(&mut self) {
        if let Err(e) = self.end() {
            log::warn!("{}", report(&e));
        }
    }
}

/// Removes what a killed lab of this name left in the kernel. Returns whether there was anything.
///
/// # Errors
/// [`Error::System`] or [`Error::File`]; also when the lab lives.
pub fn clean(lab: &str) -> Result<bool> {
    let _claim = namespace::Claim::new(lab)?;
    let runtime = runtime()?;
    runtime.block_on(async {
        let (connection, host, _) =
            rtnetlink::new_connection().map_err(|e| Error::system("open netlink", e))?;
        tokio::spawn(connection);
        wire::remove_leftovers(&host, lab).await
    })
}
