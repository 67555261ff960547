//! The plugin's HTTP server: a bounded number of connections and of calls at work.
//!
//! A request that has arrived is never left without an answer: Docker would repeat it without its
//! body. So malformed requests, slow bodies and panics each cost one request and get an error.

mod quiet;
mod request;

use std::future::Future;
use std::os::unix::net::UnixListener as StdListener;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::Either;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::error::{Error, Result};
use crate::plugin::Plugin;
use crate::proto::{Call, Reply};
use quiet::Quiet;

/// How much the server takes on.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls at work at the same time; further ones wait. Constant calls are not counted.
    pub calls: usize,
    /// Open connections; further ones wait in the socket's queue, until those that have nothing to do are
    /// closed.
    pub connections: usize,
    /// The longest body, in bytes: a published range of all ports takes 6 MB.
    pub body: usize,
    /// How long the body of a request may take to arrive, and a connection may have nothing to do while
    /// others wait for its place.
    pub arrival: Duration,
    /// How long a connection may wait for the rest of a head, or for its next request: Docker keeps
    /// its connections, and a request that meets their end is repeated without its body.
    pub idle: Duration,
    /// How long running calls may take after the signal to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls: 32,
            connections: 512,
            body: 8 << 20,
            arrival: Duration::from_secs(10),
            idle: Duration::from_secs(3600),
            drain: Duration::from_secs(25),
        }
    }
}

/// A server for one plugin.
pub struct Server {
    plugin: Arc<dyn Plugin>,
    limits: Limits,
    calls: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    /// How many listeners wait for a connection's place.
    waiting: watch::Sender<usize>,
}

impl Server {
    /// A server that has not started.
    pub fn new(plugin: Arc<dyn Plugin>, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            plugin,
            limits,
            calls: Arc::new(Semaphore::new(limits.calls)),
            connections: Arc::new(Semaphore::new(limits.connections)),
            waiting: watch::Sender::new(0),
        })
    }

    /// How many calls are at work.
    pub fn calls_at_work(&self) -> usize {
        self.limits.calls - self.calls.available_permits()
    }

    /// Serves the listeners until `stop` is ready; then takes what had connected before, finishes
    /// the running calls and returns. `stopping` is called in between: it takes the sockets away.
    /// Must run inside a Tokio runtime with time and I/O.
    ///
    /// # Errors
    /// [`Error::Core`] when a listener cannot be used; errors of single connections are logged.
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
                log::warn!("cannot take the last connections: {error}");
            }
        }
        // The tasks may all have ended already; then nobody listens.
        let _ = stop_all.send(true);
        let all = u32::try_from(self.limits.connections).unwrap_or(u32::MAX);
        let finished = tokio::time::timeout(self.limits.drain, self.connections.acquire_many(all));
        if finished.await.is_err() {
            let seconds = self.limits.drain.as_secs();
            log::warn!("calls still ran after {seconds} s and were given up");
        }
        Ok(())
    }

    async fn accept(self: Arc<Self>, listener: Arc<UnixListener>, stopped: watch::Receiver<bool>) {
        // The semaphore is never closed.
        while let Ok(permit) = self.place().await {
            match listener.accept().await {
                Ok((stream, _)) => self.connection(stream, stopped.clone(), permit),
                Err(error) => {
                    log::warn!("cannot accept a connection: {error}");
                    // Out of file descriptors, most likely: some that are open must end first.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Takes the connections that were made before the sockets went away. Asks the kernel itself:
    /// the runtime may not have heard of them yet.
    fn take_queued(
        self: &Arc<Self>,
        listener: UnixListener,
        stopped: &watch::Receiver<bool>,
    ) -> std::io::Result<()> {
        let listener = listener.into_std()?;
        while let Ok(permit) = self.connections.clone().try_acquire_owned() {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    self.connection(UnixStream::from_std(stream)?, stopped.clone(), permit);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn connection(
        self: &Arc<Self>,
        stream: UnixStream,
        stopped: watch::Receiver<bool>,
        permit: OwnedSemaphorePermit,
    ) {
        let server = Arc::clone(self);
        tokio::spawn(async move {
            let quiet = Quiet::begin();
            let requests = pin!(async {
                if has_request(&stream, stopped.clone()).await
                    && let Err(error) = Arc::clone(&server)
                        .exchange(stream, stopped, quiet.clone())
                        .await
                {
                    log::debug!("a connection ended: {error}");
                }
            });
            let unwanted = pin!(server.is_unwanted(&quiet));
            if let Either::Right(_) = futures::future::select(requests, unwanted).await {
                log::warn!("a connection without a request was closed: all others are open too");
            }
            drop(permit);
        });
    }

    /// A connection's place, for which those that have nothing to do are closed.
    async fn place(&self) -> std::result::Result<OwnedSemaphorePermit, AcquireError> {
        if let Ok(permit) = self.connections.clone().try_acquire_owned() {
            return Ok(permit);
        }
        self.waiting.send_modify(|waiting| *waiting += 1);
        let permit = self.connections.clone().acquire_owned().await;
        self.waiting.send_modify(|waiting| *waiting -= 1);
        permit
    }

    /// Waits until somebody had to wait for a place and this connection has had nothing to do for a while. All
    /// such are closed then, not only as many as were wanted: whoever comes next need not wait again. Before
    /// that they stay: Docker may be about to use them.
    async fn is_unwanted(&self, quiet: &Quiet) {
        let patience = self.limits.arrival;
        let mut waiting = self.waiting.subscribe();
        // The sender lives as long as the server.
        while waiting.wait_for(|waiting| *waiting > 0).await.is_ok() {
            tokio::time::sleep(patience).await;
            if quiet.has_lasted(patience) {
                return;
            }
        }
    }

    /// Answers the requests of one connection until it ends or the server stops.
    async fn exchange(
        self: Arc<Self>,
        stream: UnixStream,
        mut stopped: watch::Receiver<bool>,
        quiet: Quiet,
    ) -> hyper::Result<()> {
        let idle = self.limits.idle;
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let (server, at_work) = (Arc::clone(&self), quiet.interrupt());
            async move {
                let response = server.respond(request).await;
                drop(at_work);
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(idle)
                .half_close(true)
                .serve_connection(TokioIo::new(stream), service)
        );
        let mut stop = pin!(stopped.wait_for(|stopped| *stopped));
        let mut told = false;
        std::future::poll_fn(|context| {
            // First what has arrived: told to stop, hyper drops a connection before it reads.
            let state = connection.as_mut().poll(context);
            if state.is_pending() && !told && stop.as_mut().poll(context).is_ready() {
                told = true;
                connection.as_mut().graceful_shutdown();
                return connection.as_mut().poll(context);
            }
            state
        })
        .await
    }

    async fn respond(&self, request: hyper::Request<Incoming>) -> hyper::Response<request::Body> {
        let (head, body) = request.into_parts();
        let method = head.uri.path().trim_start_matches('/').to_string();
        let started = Instant::now();
        let result = match request::read(&head, body, &self.limits).await {
            Ok(call) => self.run(call, &method).await,
            Err(error) => Err(error),
        };
        let elapsed = started.elapsed().as_millis();
        match &result {
            Ok(_) => log::debug!("{method}: done in {elapsed} ms"),
            Err(error) => log::error!(
                "{method}: {} ({elapsed} ms)",
                contrail_core::error::report(error)
            ),
        }
        request::response(result)
    }

    async fn run(&self, call: Call, method: &str) -> Result<Reply> {
        let panicked = || Error::Panic {
            method: method.to_string(),
        };
        let plugin = Arc::clone(&self.plugin);
        if call.is_constant() {
            let answer = AssertUnwindSafe(|| plugin.answer(call));
            return std::panic::catch_unwind(answer).unwrap_or_else(|_| Err(panicked()));
        }
        // Closed only when the server is gone.
        let permit = self.calls.acquire().await;
        let answer = tokio::task::spawn_blocking(move || plugin.answer(call)).await;
        drop(permit);
        answer.unwrap_or_else(|_| Err(panicked()))
    }
}

/// Waits for the first bytes of a new connection. Whoever connected just before the stop has a
/// moment to send them.
async fn has_request(stream: &UnixStream, mut stopped: watch::Receiver<bool>) -> bool {
    let a_moment = async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    let (readable, a_moment) = (pin!(stream.readable()), pin!(a_moment));
    let first = futures::future::select(readable, a_moment).await;
    matches!(first, Either::Left((Ok(()), _)))
}
