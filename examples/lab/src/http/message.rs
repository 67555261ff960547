//! Requests and responses as values, and the service that they are for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which service of the lab a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceName {
    /// The configuration API (8082 in the field).
    ConfigApi,
    /// The identity service (35357 or 5000).
    Keystone,
    /// The vRouter agent's port API (9091).
    Agent,
    /// The lab's own endpoint for faults and the request log.
    Control,
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConfigApi => "config-api",
            Self::Keystone => "keystone",
            Self::Agent => "agent",
            Self::Control => "control",
        })
    }
}

/// One request, its body read to the end.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The method as it was sent: "GET", "PATCH" …
    pub method: String,
    /// The path as it was sent, percent-encoded, without the query.
    pub path: String,
    /// The query as it was sent, without "?"; empty when there is none.
    pub query: String,
    /// The header fields in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body; empty when there is none.
    pub body: Vec<u8>,
}

impl Request {
    /// The first value of a header field; the name's case does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// One response. `Content-Length` and `Date` are added when it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The reason phrase; "" for the standard one of the status.
    pub reason: &'static str,
    /// The header fields, in the order they are sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The length of the body is announced, but the connection is closed before any of it.
    pub is_cut: bool,
}

impl Response {
    /// A response with one content type and a body.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            reason: "",
            headers: vec![("Content-Type".into(), content_type.into())],
            body: body.into(),
            is_cut: false,
        }
    }

    /// A response whose body is a JSON document.
    pub fn json(status: u16, document: &impl Serialize) -> Self {
        // Only maps with keys that are not strings fail to serialise; no answer has any.
        let body = serde_json::to_vec(document).unwrap_or_default();
        Self::new(status, "application/json", body)
    }

    /// The same response with one more header field.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The first value of a header field; the name's case does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}
