//! Sockets that systemd opened for the plugin, and what the plugin tells systemd.
//!
//! Both are small protocols of environment variables: `sd_listen_fds(3)` and `sd_notify(3)`.

use std::ffi::OsStr;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};

use contrail_core::Error as CoreError;

use crate::error::Result;

/// The first descriptor that systemd passes.
const FIRST: RawFd = 3;

/// The listeners that systemd passed, from `LISTEN_PID` and `LISTEN_FDS`; none when they are meant
/// for another process. Call it once: the descriptors become the listeners'.
///
/// # Errors
/// When a descriptor is not a listening unix socket.
pub fn inherited(listen_pid: Option<&str>, listen_fds: Option<&str>) -> Result<Vec<UnixListener>> {
    let ours = listen_pid.and_then(|pid| pid.parse().ok()) == Some(std::process::id());
    let count = listen_fds.and_then(|count| count.parse::<RawFd>().ok());
    let Some(count) = count.filter(|count| ours && (1..=64).contains(count)) else {
        return Ok(Vec::new());
    };
    (FIRST..FIRST + count)
        .map(|descriptor| {
            // SAFETY: systemd says that these descriptors are open and this process's own; nothing
            // else here takes them. One that is not open fails in the check below.
            #[allow(unsafe_code)]
            let owned = unsafe { OwnedFd::from_raw_fd(descriptor) };
            let listener = UnixListener::from(owned);
            match listener.local_addr() {
                Ok(_) => Ok(listener),
                Err(error) => {
                    // Not ours to close either, if it is not a socket.
                    std::mem::forget(listener);
                    Err(CoreError::invalid(
                        "LISTEN_FDS",
                        descriptor.to_string(),
                        format!("not a unix socket: {error}"),
                    )
                    .into())
                }
            }
        })
        .collect()
}

/// The way to tell systemd how far the plugin is; silent where systemd did not ask.
#[derive(Debug)]
pub struct Notify {
    socket: Option<(UnixDatagram, SocketAddr)>,
}

impl Notify {
    /// From the value of `NOTIFY_SOCKET`.
    pub fn new(notify_socket: Option<&OsStr>) -> Self {
        let socket = notify_socket.and_then(|name| {
            let address = match name.as_bytes() {
                [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
                path => SocketAddr::from_pathname(OsStr::from_bytes(path)),
            };
            Some((UnixDatagram::unbound().ok()?, address.ok()?))
        });
        Self { socket }
    }

    /// Ready: the socket is there and answers.
    pub fn ready(&self) {
        self.send("READY=1\n");
    }

    /// Stopping: running calls are being finished.
    pub fn stopping(&self) {
        self.send("STOPPING=1\n");
    }

    fn send(&self, text: &str) {
        if let Some((socket, address)) = &self.socket
            && let Err(error) = socket.send_to_addr(text.as_bytes(), address)
        {
            log::warn!("cannot tell systemd {}: {error}", text.trim_end());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_of_another_process_are_left_alone() {
        for (pid, count) in [
            (None, Some("1")),
            (Some("1"), Some("1")),
            (Some("x"), Some("1")),
            (Some(&*std::process::id().to_string()), None),
            (Some(&*std::process::id().to_string()), Some("0")),
            (Some(&*std::process::id().to_string()), Some("-3")),
        ] {
            assert!(inherited(pid, count).unwrap().is_empty());
        }
    }

    #[test]
    fn systemd_hears_of_both_ends_by_path_and_by_abstract_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let by_path = UnixDatagram::bind(&path).unwrap();
        let name = format!("cnm-test-{}", std::process::id());
        let abstract_address = SocketAddr::from_abstract_name(&name).unwrap();
        let by_name = UnixDatagram::bind_addr(&abstract_address).unwrap();
        for (socket, name) in [
            (by_path, path.into_os_string()),
            (by_name, format!("@{name}").into()),
        ] {
            let notify = Notify::new(Some(&name));
            notify.ready();
            notify.stopping();
            let mut buffer = [0; 64];
            for expected in ["READY=1\n", "STOPPING=1\n"] {
                let length = socket.recv(&mut buffer).unwrap();
                assert_eq!(&buffer[..length], expected.as_bytes());
            }
        }
        Notify::new(None).ready();
    }
}
