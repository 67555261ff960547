//! Everything that leaves over HTTP: requests and answers as values, and the seam that carries them.
//!
//! The configuration API, Keystone and the vRouter agent are all reached through [`Transport`].
//! [`Http`] is the real one; tests put a fake in its place.

mod client;
mod connect;
mod effect;
mod server;
mod text;
mod tls;

use std::error::Error as StdError;
use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};

use crate::error::{Error, after_colon};
use crate::values::Deadline;
use crate::values::Secret;

pub use client::Http;
pub use effect::Effect;
pub(crate) use server::host_and_port;
pub use server::{Scheme, Server};
pub use tls::TlsSettings;

/// The largest answer that is read. A list of ten thousand ports in full is about 20 MB.
pub const MAX_ANSWER: usize = 64 << 20;

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Create, or call an action.
    Post,
    /// Change.
    Put,
    /// Remove.
    Delete,
}

impl Method {
    /// The spelling on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One HTTP request. Its `Debug` form shows neither headers nor body: both may hold secrets.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The absolute URL, percent-encoded, without credentials.
    pub url: String,
    /// Headers beyond those that the transport sets (`Host`, `Content-Length`).
    pub headers: Vec<(&'static str, String)>,
    /// The body; JSON wherever this crate sends one.
    pub body: Option<Vec<u8>>,
    /// When the whole exchange must have ended.
    pub deadline: Deadline,
    /// Whether it may go over a connection that was used before. The server may be about to close that
    /// one; the request is [lost](TransportError::Lost) then, so it should be one that can be repeated.
    /// One that may not gets a new connection, and the waiting ones to that server are closed.
    pub reuse: bool,
}

impl Request {
    /// A request without body.
    pub fn new(method: Method, url: impl Into<String>, deadline: Deadline) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: None,
            deadline,
            reuse: false,
        }
    }

    /// The same request with one more header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same request with a JSON body. Both the configuration API and Keystone insist on the
    /// content type.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        // What this crate sends are maps with string keys: they always have a JSON form.
        self.body = Some(serde_json::to_vec(body).unwrap_or_default());
        self.header("Content-Type", "application/json")
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// One HTTP answer, read to its end. Its `Debug` form shows only the status.
#[derive(Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers as they came.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer with this status and body.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// Whether the status says that the request was carried out.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as a short plain text for people: HTML pages are reduced to their message, long
    /// texts are cut.
    pub fn text(&self) -> String {
        text::plain(&self.body)
    }

    /// The same answer with `secret` hidden in its headers and, where it is none of success, in its
    /// body: a proxy's page may repeat the request's headers.
    pub fn without(mut self, secret: &Secret) -> Self {
        for (_, value) in &mut self.headers {
            *value = secret.hide_in(value);
        }
        if !self.is_success() {
            let text = String::from_utf8_lossy(&self.body);
            self.body = secret.hide_in(&text).into_bytes();
        }
        self
    }

    /// The status, and what the body says for people, if it says something.
    pub fn explained(&self) -> String {
        format!("status {}{}", self.status, after_colon(&self.text()))
    }

    /// The body read as JSON. `what` names it in the error: "the answer of X to GET /y".
    ///
    /// # Errors
    /// [`Error::Decode`].
    pub fn json<T: DeserializeOwned>(&self, what: impl FnOnce() -> String) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|source| Error::Decode {
            what: what(),
            source,
        })
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}, {} bytes", self.status, self.body.len())
    }
}

/// Why there is no usable answer. The variants differ in what is known about the request's effect:
/// that decides whether it may be sent again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// No connection (or no TLS session) came about: nothing was sent.
    #[error("cannot connect")]
    Connect {
        /// Why.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The request was sent at least in part and no whole answer came back: its effect is unknown.
    #[error("the connection broke before the whole answer came")]
    Lost {
        /// Why.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The time ended.
    #[error("no answer in time")]
    Timeout {
        /// Whether the request may have arrived.
        sent: bool,
    },
    /// The answer is larger than anybody would read.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The request cannot be expressed in HTTP: a bad URL, or a control character in a header.
    #[error("the request cannot be sent: {reason}")]
    Malformed {
        /// Why; never holds a header's value.
        reason: String,
    },
}

impl TransportError {
    /// What the request may have changed.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Connect { .. } | Self::Timeout { sent: false } | Self::Malformed { .. } => {
                Effect::NotSent
            }
            Self::Lost { .. } | Self::Timeout { sent: true } | Self::TooLarge { .. } => {
                Effect::Possible
            }
        }
    }

    /// Whether the other side certainly never saw the request.
    pub fn nothing_sent(&self) -> bool {
        self.effect() == Effect::NotSent
    }

    /// This error as an outcome of `request` to `service` ("Keystone http://10.0.0.1:5000").
    /// `seconds` is the time that the exchange had.
    pub fn into_error(self, service: String, request: &Request, seconds: f32) -> Error {
        let path = path_of(&request.url);
        match self {
            Self::Timeout { sent: true } => Error::Timeout {
                operation: format!("{} {path} of {service}", request.method),
                seconds,
            },
            Self::TooLarge { .. } => Error::Decode {
                what: format!("the answer of {service} to {} {path}", request.method),
                source: serde_json::Error::custom(self),
            },
            Self::Malformed { reason } => Error::invalid("request to", service, reason),
            // The source keeps what is known about the request's effect.
            Self::Connect { .. } | Self::Lost { .. } | Self::Timeout { sent: false } => {
                Error::Unreachable {
                    service,
                    effect: self.effect(),
                    source: Box::new(self),
                }
            }
        }
    }
}

/// Carries requests (seam 1 of the crate).
pub trait Transport: Send + Sync {
    /// Sends one request and reads the whole answer, whatever its status, within the request's
    /// deadline. Never repeats a request and never follows a redirect.
    ///
    /// # Errors
    /// A [`TransportError`] that tells whether the request may have had an effect.
    fn send(&self, request: &Request) -> Result<Response, TransportError>;
}

/// The path of a URL, without query: what errors and logs show.
pub(crate) fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    path.split('?').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn neither_requests_nor_answers_show_what_may_be_secret() {
        let deadline = Deadline::after(Duration::from_secs(1));
        let request = Request::new(Method::Post, "http://h/v3/auth/tokens", deadline)
            .header("X-Auth-Token", "sesame")
            .json(&"contrail123");
        assert_eq!(format!("{request:?}"), "POST http://h/v3/auth/tokens");
        assert_eq!(
            format!("{:?}", Response::new(200, "sesame")),
            "status 200, 6 bytes"
        );
    }

    #[test]
    fn headers_are_found_in_any_case() {
        let mut response = Response::new(201, "");
        response
            .headers
            .push(("x-subject-token".into(), "t".into()));
        assert_eq!(response.header("X-Subject-Token"), Some("t"));
        assert_eq!(response.header("etag"), None);
    }

    #[test]
    fn a_path_has_neither_host_nor_query() {
        for (url, path) in [
            (
                "http://h:8082/virtual-networks?detail=true",
                "/virtual-networks",
            ),
            ("http://h", "/"),
            ("http://[::1]:1/a/b", "/a/b"),
        ] {
            assert_eq!(path_of(url), path);
        }
    }

    #[test]
    fn each_outcome_becomes_the_error_that_tells_what_to_do() {
        let request = Request::new(
            Method::Get,
            "http://h:1/x?y=1",
            Deadline::after(Duration::from_secs(1)),
        );
        let into = |error: TransportError| error.into_error("API h".into(), &request, 1.0);
        let io = || Box::new(std::io::Error::other("reset"));
        assert!(into(TransportError::Connect { source: io() }).is_transient());
        assert!(into(TransportError::Lost { source: io() }).is_transient());
        let timeout = into(TransportError::Timeout { sent: true });
        assert_eq!(
            timeout.to_string(),
            "GET /x of API h took longer than its 1 s"
        );
        assert!(matches!(
            into(TransportError::TooLarge { limit: 1 }),
            Error::Decode { .. }
        ));
    }
}
