//! Without a command: the plugin itself, from its start to its end.

use std::env;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::flags::Flags;
use super::{load, logging};
use crate::daemon::Daemon;
use crate::error::{Error, Result};
use crate::proto::Scope;
use crate::server::{Limits, Server};
use crate::socket::{Bound, Notify, Published, inherited};

/// How often what was put off is tried again, and containers are looked after.
const TIDY_INTERVAL: Duration = Duration::from_secs(15);

/// Serves until SIGTERM or SIGINT, then finishes what runs.
pub(super) fn run(flags: &Flags) -> Result<()> {
    let loaded = load::load(flags)?;
    logging::start(&loaded.settings.log);
    advise(flags, loaded.scope);
    let daemon = Arc::new(Daemon::new(&loaded.settings, loaded.scope)?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::file("start", "the runtime", source))?;
    let served = runtime.block_on(serve(daemon, &loaded.sockets));
    // Calls that were given up must not keep the process.
    runtime.shutdown_background();
    served
}

async fn serve(daemon: Arc<Daemon>, sockets: &[PathBuf]) -> Result<()> {
    let notify = Notify::new(env::var_os("NOTIFY_SOCKET").as_deref());
    let on = |kind| signal(kind).map_err(|source| Error::file("listen for", "signals", source));
    // Before the sockets: a signal must never end it half-way.
    let (mut terminate, mut interrupt) =
        (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
    let server = Server::new(daemon.clone(), Limits::default());
    let (listeners, published) = listen(sockets)?;
    notify.ready();
    let stop = async {
        let (term, int) = (
            std::pin::pin!(terminate.recv()),
            std::pin::pin!(interrupt.recv()),
        );
        futures::future::select(term, int).await;
        log::info!("stopping: running calls are finished first");
        notify.stopping();
    };
    let tidying = tokio::spawn(tidy(daemon));
    server.serve(listeners, stop, || drop(published)).await?;
    tidying.abort();
    log::info!("stopped");
    Ok(())
}

/// At the start and now and then: see [`Daemon::tidy`].
async fn tidy(daemon: Arc<Daemon>) {
    loop {
        let daemon = Arc::clone(&daemon);
        // A panic in it has been reported, and the next time is another chance.
        let _ = tokio::task::spawn_blocking(move || daemon.tidy()).await;
        tokio::time::sleep(TIDY_INTERVAL).await;
    }
}

/// The sockets that systemd opened, else those that the settings name.
fn listen(sockets: &[PathBuf]) -> Result<(Vec<UnixListener>, Vec<Published>)> {
    let variable = |name| env::var(name).ok();
    let inherited = inherited(
        variable("LISTEN_PID").as_deref(),
        variable("LISTEN_FDS").as_deref(),
    )?;
    if !inherited.is_empty() {
        log::info!("serving {} sockets of systemd's", inherited.len());
        return Ok((inherited, Vec::new()));
    }
    let mut listeners = Vec::new();
    let mut published = Vec::new();
    for socket in sockets {
        // One after the other: each holds the lock of its directory until it is in its place.
        let (listener, socket) = Bound::beside(socket)?.publish()?;
        log::info!("serving {}", socket.path().display());
        listeners.push(listener);
        published.push(socket);
    }
    Ok((listeners, published))
}

/// What is allowed but seldom meant.
fn advise(flags: &Flags, scope: Scope) {
    if flags.has_secret() {
        log::warn!(
            "--admin_password can be read by everybody on this host: \
             put the password into a file and name it in ADMIN_PASSWORD_FILE"
        );
    }
    if scope == Scope::Global {
        log::warn!(
            "scope global: an engine outside of a swarm refuses to create such networks, and a swarm \
             takes them only from a managed plugin. Use SCOPE=local elsewhere: hosts share a virtual \
             network by its name in OpenContrail"
        );
    }
}
