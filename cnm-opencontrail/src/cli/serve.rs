//! The plugin itself, from its start to its end: what the program does if no sub-command is given.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use contrail_core::error::{counted, report};
use contrail_core::process::logging;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

use super::flags::Flags;
use super::load::{self, Loaded};
use super::place::warn_of_place;
use super::remembered::{self, Seen};
use crate::daemon::{Daemon, PROGRAM};
use crate::error::{Error, Result};
use crate::proto::Scope;
use crate::server::{Limits, Server};
use crate::socket::{Bound, Published, systemd};

/// The interval at which deferred removals are tried again and running containers are checked.
const TIDY_INTERVAL: Duration = Duration::from_secs(15);

/// Serves until SIGTERM or SIGINT, then finishes the running calls.
pub(super) fn run(flags: &Flags) -> Result<()> {
    let loaded = load::load(flags)?;
    logging::start(PROGRAM, &loaded.settings.log);
    warn_of_settings(flags, loaded.scope);
    let daemon = Arc::new(Daemon::new(&loaded.settings, loaded.scope)?);
    warn_of_place(&loaded.settings.state_dir);
    warn_of_changes(&loaded);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::system("start the runtime", source))?;
    let served = runtime.block_on(serve(daemon, &loaded.sockets));
    // Calls that were abandoned must not keep the process.
    runtime.shutdown_background();
    served
}

async fn serve(daemon: Arc<Daemon>, sockets: &[PathBuf]) -> Result<()> {
    let on = |kind| signal(kind).map_err(|source| Error::system("listen for signals", source));
    // Before the sockets: a signal must not end the process while it publishes them.
    let (mut terminate, mut interrupt) =
        (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
    let server = Server::new(daemon.clone(), Limits::default());
    let (listeners, published) = listen(sockets)?;
    let count = listeners.len();
    // The server polls it first when it serves the listeners.
    let stop = async {
        systemd::ready(&status(count, 0));
        let (term, int) = (
            std::pin::pin!(terminate.recv()),
            std::pin::pin!(interrupt.recv()),
        );
        futures::future::select(term, int).await;
        log::info!("stopping: finishing the running calls");
        systemd::stopping();
    };
    let tidying = tokio::spawn(tidy(daemon, count));
    let watchdog = tokio::spawn(watchdog());
    server.serve(listeners, stop, || drop(published)).await?;
    tidying.abort();
    watchdog.abort();
    log::info!("stopped");
    Ok(())
}

/// Calls [`Daemon::tidy`] at the start and then at intervals.
async fn tidy(daemon: Arc<Daemon>, sockets: usize) {
    let mut shown = 0;
    loop {
        let daemon = Arc::clone(&daemon);
        let tidied = tokio::task::spawn_blocking(move || {
            daemon.tidy();
            daemon.incomplete()
        });
        match tidied.await {
            Ok(Ok(incomplete)) if incomplete != shown => {
                shown = incomplete;
                systemd::status(&status(sockets, incomplete));
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => log::warn!("cannot read the state: {}", report(&error)),
            // The panic has been logged; the next time may succeed.
            Err(_) => {}
        }
        tokio::time::sleep(TIDY_INTERVAL).await;
    }
}

/// Keeps systemd's watchdog quiet as long as this runtime, which serves the sockets, is not blocked.
async fn watchdog() {
    let Some(interval) = systemd::watchdog_interval() else {
        return;
    };
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        systemd::alive();
    }
}

/// What `systemctl status` shows.
fn status(sockets: usize, incomplete: usize) -> String {
    let sockets = counted(sockets, "socket");
    match incomplete {
        0 => format!("serving {sockets}"),
        count => format!(
            "serving {sockets}; {} not complete: see the log",
            counted(count, "operation")
        ),
    }
}

/// The sockets that systemd opened, or those of the settings if there are none.
fn listen(sockets: &[PathBuf]) -> Result<(Vec<UnixListener>, Vec<Published>)> {
    let inherited = systemd::inherited()?;
    if !inherited.is_empty() {
        log::info!("serving {} sockets that systemd opened", inherited.len());
        return Ok((inherited, Vec::new()));
    }
    let mut listeners = Vec::new();
    let mut published = Vec::new();
    for socket in sockets {
        // One after the other: each holds the lock of its directory until it is published.
        let (listener, socket) = Bound::beside(socket)?.publish()?;
        log::info!("serving {}", socket.path().display());
        listeners.push(listener);
        published.push(socket);
    }
    Ok((listeners, published))
}

/// Warns if engines that are running remember something else of the plugin.
fn warn_of_changes(loaded: &Loaded) {
    let now = Seen {
        scope: loaded.scope,
        sockets: loaded.sockets.clone(),
    };
    match remembered::record(&loaded.settings.state_dir, &now) {
        Ok(changes) if changes.is_empty() => {}
        Ok(changes) => log::warn!("{}. {}", changes.join(", "), remembered::NOTE),
        // Only the warning is lost.
        Err(error) => log::debug!(
            "cannot record the scope and the sockets: {}",
            report(&error)
        ),
    }
}

/// Warns of settings that are allowed but seldom intended.
fn warn_of_settings(flags: &Flags, scope: Scope) {
    if flags.has_secret() {
        log::warn!(
            "--admin_password can be read by all users of this host: \
             put the password into a file and name it in ADMIN_PASSWORD_FILE"
        );
    }
    if scope == Scope::Global {
        log::warn!(
            "scope global: an engine outside of a swarm refuses to create such networks, and a swarm \
             takes them only from a managed plugin. Use SCOPE=local elsewhere: hosts share a virtual \
             network by its name in OpenContrail. Create services with --endpoint-mode dnsrr: nothing here \
             serves the virtual IP that their names resolve to otherwise"
        );
    }
}
