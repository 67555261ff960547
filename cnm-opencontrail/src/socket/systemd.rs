//! Sockets that systemd opened for the plugin, and notifications to systemd: see `sd_listen_fds(3)` and
//! `sd_notify(3)`. If systemd did not start the plugin, nothing here has an effect.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use contrail_core::Error as CoreError;
use sd_notify::NotifyState;

use crate::error::{Error, Result};

/// The listeners that systemd passed; none if the environment has none for this process. Call it once: the
/// descriptors become the listeners'.
///
/// # Errors
/// If the environment cannot be understood, or a descriptor is not a listening unix socket.
pub fn inherited() -> Result<Vec<UnixListener>> {
    let descriptors = sd_notify::listen_fds()
        .map_err(|source| Error::file("take over", "the sockets of systemd", source))?;
    descriptors.map(listener).collect()
}

fn listener(descriptor: RawFd) -> Result<UnixListener> {
    // SAFETY: `listen_fds` has checked that the descriptor is open, and systemd passed it to this process
    // alone; nothing else here uses it.
    #[allow(unsafe_code)]
    let owned = unsafe { OwnedFd::from_raw_fd(descriptor) };
    let listener = UnixListener::from(owned);
    match listener.local_addr() {
        Ok(_) => Ok(listener),
        Err(error) => {
            // If it is not a socket, it is not the plugin's to close.
            std::mem::forget(listener);
            let reason = format!("not a unix socket: {error}");
            Err(CoreError::invalid("LISTEN_FDS", descriptor.to_string(), reason).into())
        }
    }
}

/// Tells systemd that the sockets are served.
pub fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Tells systemd what `systemctl status` shows.
pub fn status(status: &str) {
    notify(&[NotifyState::Status(status)]);
}

/// Tells systemd that running calls are being finished.
pub fn stopping() {
    notify(&[
        NotifyState::Stopping,
        NotifyState::Status("stopping: finishing the running calls"),
    ]);
}

/// Tells systemd's watchdog that the plugin is alive.
pub fn alive() {
    notify(&[NotifyState::Watchdog]);
}

/// How often [`alive`] must be called: half of the time after which systemd's watchdog restarts the
/// plugin. `None` if it does not watch.
pub fn watchdog_interval() -> Option<Duration> {
    let timeout = sd_notify::watchdog_enabled()?;
    Some(timeout / 2).filter(|interval| !interval.is_zero())
}

fn notify(state: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(state) {
        log::warn!("cannot notify systemd of {state:?}: {error}");
    }
}
