//! What the rest of the lab holds of the data plane: how to start, tell, ask and stop it.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use contrail_core::error::report;
use contrail_core::{Error, Result};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::messages::{Command, Inputs, PlaneOptions, Snapshot};
use super::plane::{run, runtime};
use super::{namespace, wire};

/// Longer than any change of the kernel takes; a caller that waits longer goes on.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running data plane. It belongs to the network namespace of the thread that started it.
pub struct DataPlane {
    notifier: Notifier,
    thread: Option<JoinHandle<()>>,
}

/// Tells a data plane that its inputs changed.
#[derive(Clone)]
pub struct Notifier(UnboundedSender<Command>);

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
    /// With `Mode::On`, when this process may not forward; else when the host's links cannot be
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
