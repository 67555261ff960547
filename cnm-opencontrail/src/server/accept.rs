//! The server: takes connections from its listeners, up to a limit, and stops in order.

use std::future::Future;
use std::os::unix::net::UnixListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::connection::Connections;
use super::limits::Limits;
use crate::error::{Error, Result};
use crate::plugin::Plugin;

/// A server for one plugin.
pub struct Server {
    limits: Limits,
    connections: Arc<Connections>,
    permits: Arc<Semaphore>,
}

impl Server {
    /// A server that has not started.
    pub fn new(plugin: Arc<dyn Plugin>, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            connections: Connections::new(plugin, limits),
            permits: Arc::new(Semaphore::new(limits.connections)),
        })
    }

    /// How many calls are running.
    pub fn running_calls(&self) -> usize {
        self.connections.running_calls()
    }

    /// Serves the listeners until `stop` is ready. Then it takes what had connected before, finishes
    /// the running calls and returns. `stopping` is called in between: it removes the sockets.
    /// Must run inside a Tokio runtime with time and I/O.
    ///
    /// # Errors
    /// [`Error::Core`] if a listener cannot be used; errors of single connections are logged.
    pub async fn serve(
        self: &Arc<Self>,
        listeners: Vec<StdListener>,
        stop: impl Future<Output = ()>,
        stopping: impl FnOnce(),
    ) -> Result<()> {
        let listeners = listeners
            .into_iter()
            .map(|listener| {
                listener.set_nonblocking(true)?;
                UnixListener::from_std(listener).map(Arc::new)
            })
            .collect::<std::io::Result<Vec<_>>>()
            .map_err(|source| Error::system("listen on the socket", source))?;
        let (stop_all, stopped) = watch::channel(false);
        let mut accepting = JoinSet::new();
        for listener in &listeners {
            let (server, listener) = (Arc::clone(self), Arc::clone(listener));
            accepting.spawn(server.accept(listener, stopped.clone()));
        }
        stop.await;
        stopping();
        accepting.shutdown().await;
        // The tasks that shared them have ended.
        for listener in listeners.into_iter().filter_map(Arc::into_inner) {
            if let Err(error) = self.take_queued(listener, &stopped) {
                log::warn!("cannot accept the remaining connections: {error}");
            }
        }
        // Fails if all tasks have ended already.
        let _ = stop_all.send(true);
        let all = u32::try_from(self.limits.connections).unwrap_or(u32::MAX);
        let finished = tokio::time::timeout(self.limits.drain, self.permits.acquire_many(all));
        if finished.await.is_err() {
            let seconds = self.limits.drain.as_secs();
            log::warn!("abandoned calls that were still running {seconds} s after the stop");
        }
        Ok(())
    }

    async fn accept(self: Arc<Self>, listener: Arc<UnixListener>, stopped: watch::Receiver<bool>) {
        // The semaphore is never closed.
        while let Ok(permit) = self.permit().await {
            match listener.accept().await {
                Ok((stream, _)) => self.connections.spawn(stream, stopped.clone(), permit),
                Err(error) => {
                    log::warn!("cannot accept a connection: {error}");
                    // Most likely the process has no file descriptors left until others are closed.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Takes the connections that were made before the sockets were removed. Asks the kernel itself:
    /// the runtime may not have seen them yet.
    fn take_queued(
        self: &Arc<Self>,
        listener: UnixListener,
        stopped: &watch::Receiver<bool>,
    ) -> std::io::Result<()> {
        let listener = listener.into_std()?;
        while let Ok(permit) = self.permits.clone().try_acquire_owned() {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    let stream = UnixStream::from_std(stream)?;
                    self.connections.spawn(stream, stopped.clone(), permit);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The permit for one more connection. While a listener waits for it, idle connections are closed.
    async fn permit(&self) -> std::result::Result<OwnedSemaphorePermit, AcquireError> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let waiting = &self.connections.waiting;
        waiting.send_modify(|waiting| *waiting += 1);
        let permit = self.permits.clone().acquire_owned().await;
        waiting.send_modify(|waiting| *waiting -= 1);
        permit
    }
}
