//! One connection: answers its requests until it ends, is closed for others, or the server stops.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contrail_core::error::report;
use futures::future::Either;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::idle::Idle;
use super::limits::Limits;
use super::request;
use crate::error::{Error, Result};
use crate::plugin::Plugin;
use crate::proto::{Call, Reply};

/// What all connections share.
pub(super) struct Connections {
    plugin: Arc<dyn Plugin>,
    limits: Limits,
    calls: Semaphore,
    /// Places for calls with large bodies.
    large: Semaphore,
    /// How many listeners wait for a connection to be closed.
    pub(super) waiting: watch::Sender<usize>,
}

impl Connections {
    pub(super) fn new(plugin: Arc<dyn Plugin>, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            plugin,
            limits,
            calls: Semaphore::new(limits.calls),
            large: Semaphore::new(limits.large),
            waiting: watch::Sender::new(0),
        })
    }

    /// How many calls are running.
    pub(super) fn running_calls(&self) -> usize {
        self.limits.calls - self.calls.available_permits()
    }

    /// Serves a connection in a task of its own, which holds its permit.
    pub(super) fn spawn(
        self: &Arc<Self>,
        stream: UnixStream,
        stopped: watch::Receiver<bool>,
        permit: OwnedSemaphorePermit,
    ) {
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let idle = Idle::now();
            let requests = pin!(async {
                if has_request(&stream, stopped.clone()).await
                    && let Err(error) = Arc::clone(&shared)
                        .exchange(stream, stopped, idle.clone())
                        .await
                {
                    log::debug!("a connection failed: {error}");
                }
            });
            let unwanted = pin!(shared.is_unwanted(&idle));
            if let Either::Right(_) = futures::future::select(requests, unwanted).await {
                log::warn!("closed an idle connection: the limit of open connections is reached");
            }
            drop(permit);
        });
    }

    /// Waits until a listener waits for a place and this connection has been idle for a while. Then
    /// all idle connections are closed, not only as many as are needed, so that the next listeners need not
    /// wait again. Before that they remain open: Docker may be about to use them.
    async fn is_unwanted(&self, idle: &Idle) {
        let patience = self.limits.arrival;
        let mut waiting = self.waiting.subscribe();
        // The sender lives as long as the server.
        while waiting.wait_for(|waiting| *waiting > 0).await.is_ok() {
            tokio::time::sleep(patience).await;
            if idle.is_at_least(patience) {
                return;
            }
        }
    }

    /// Answers the requests of one connection until it ends or the server stops.
    async fn exchange(
        self: Arc<Self>,
        stream: UnixStream,
        mut stopped: watch::Receiver<bool>,
        idle: Idle,
    ) -> hyper::Result<()> {
        let head_timeout = self.limits.idle;
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let (shared, busy) = (Arc::clone(&self), idle.busy());
            async move {
                let response = shared.respond(request).await;
                drop(busy);
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(head_timeout)
                .half_close(true)
                .serve_connection(TokioIo::new(stream), service)
        );
        let mut stop = pin!(stopped.wait_for(|stopped| *stopped));
        let mut is_stopping = false;
        std::future::poll_fn(|context| {
            // What has arrived comes first: once it is to stop, hyper drops a connection before it reads.
            let state = connection.as_mut().poll(context);
            if state.is_pending() && !is_stopping && stop.as_mut().poll(context).is_ready() {
                is_stopping = true;
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
        // Held until the call is answered. The semaphore is never closed.
        let _place = match request::may_be_large(&body, &self.limits) {
            true => self.large.acquire().await.ok(),
            false => None,
        };
        let result = match request::read(&head, body, &self.limits).await {
            Ok(call) => self.run(call, &method).await,
            Err(error) => Err(error),
        };
        let elapsed = started.elapsed().as_millis();
        match &result {
            Ok(_) => log::debug!("{method} succeeded in {elapsed} ms"),
            Err(error) => log::log!(
                error.level(),
                "{method} failed after {elapsed} ms: {}",
                report(error)
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
        // The semaphore is closed only when the server no longer exists.
        let permit = self.calls.acquire().await;
        let answer = tokio::task::spawn_blocking(move || plugin.answer(call)).await;
        drop(permit);
        answer.unwrap_or_else(|_| Err(panicked()))
    }
}

/// Waits for the first bytes of a new connection. A client that connected just before the stop has one
/// second to send them.
async fn has_request(stream: &UnixStream, mut stopped: watch::Receiver<bool>) -> bool {
    let stop = async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    let (readable, stop) = (pin!(stream.readable()), pin!(stop));
    let first = futures::future::select(readable, stop).await;
    matches!(first, Either::Left((Ok(()), _)))
}
