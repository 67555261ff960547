//! A fake in the place of HTTP, for tests.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::api::Client;
#[cfg(feature = "attach")]
use crate::attach::Host;
use crate::http::{Request, Response, Scheme, Server, Transport, TransportError};
use crate::keystone::NoAuth;
#[cfg(feature = "attach")]
use crate::ownership::Maker;

type Script = dyn Fn(&Request) -> Result<Response, TransportError> + Send + Sync;

/// A transport that answers by a function and remembers what was asked.
pub struct FakeTransport {
    script: Box<Script>,
    requests: Mutex<Vec<Request>>,
}

impl FakeTransport {
    /// A fake that answers each request by `script`.
    pub fn new(
        script: impl Fn(&Request) -> Result<Response, TransportError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            script: Box::new(script),
            requests: Mutex::new(Vec::new()),
        })
    }

    /// A fake that gives these answers one after the other, then refuses connections.
    pub fn answers(
        answers: impl IntoIterator<Item = Result<Response, TransportError>>,
    ) -> Arc<Self> {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        let answers = Mutex::new(answers);
        Self::new(move |_| {
            let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.pop().unwrap_or_else(|| Err(refused()))
        })
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        let requests = self.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The requests so far as `METHOD URL`.
    pub fn lines(&self) -> Vec<String> {
        let requests = self.requests();
        requests.iter().map(|r| format!("{r:?}")).collect()
    }
}

impl Transport for FakeTransport {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let requests = self.requests.lock();
        requests
            .unwrap_or_else(PoisonError::into_inner)
            .push(request.clone());
        (self.script)(request)
    }
}

/// A client of the configuration API that asks this fake.
pub fn client_of(transport: Arc<FakeTransport>) -> Client {
    let server = Server {
        scheme: Scheme::Http,
        host: "api".into(),
        port: 8082,
    };
    let (tokens, time) = (Arc::new(NoAuth), Duration::from_secs(5));
    Client::new(transport, vec![server], tokens, "host:test".into(), time)
}

#[cfg(feature = "attach")]
/// A host that attaches containers and never touches its directories.
pub fn host() -> Host {
    let maker = Maker {
        program: "cni".into(),
        node: "node1".into(),
        machine: None,
    };
    Host {
        attach_timeout: Duration::from_secs(5),
        ..Host::new(maker, "/nonexistent", "/nonexistent")
    }
}

/// Nobody listens: nothing was sent.
pub fn refused() -> TransportError {
    TransportError::Connect {
        source: Box::new(io::Error::from(io::ErrorKind::ConnectionRefused)),
    }
}

/// The connection broke after the request was sent.
pub fn lost() -> TransportError {
    TransportError::Lost {
        source: Box::new(io::Error::from(io::ErrorKind::ConnectionReset)),
    }
}
