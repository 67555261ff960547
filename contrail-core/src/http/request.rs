//! A request as a value.

use std::fmt;

use super::answer_kind::AnswerKind;
use crate::values::Method;
use serde_json::Value;

use crate::values::Deadline;

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
    /// The end of the whole exchange.
    pub deadline: Deadline,
    /// What it is answered with: how large that may be.
    pub answer: AnswerKind,
    /// Whether it may reuse an idle connection. The server may be closing that one, and then the request
    /// is [lost](super::TransportError::Lost), so it should be one that can be repeated. A request that may
    /// not gets a new connection, and the idle ones to that server are closed.
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
            answer: AnswerKind::Object,
            reuse: false,
        }
    }

    /// The same request with one more header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same request with an answer of that kind.
    pub fn answered_by(self, answer: AnswerKind) -> Self {
        Self { answer, ..self }
    }

    /// The same request with a JSON body. Both the configuration API and Keystone insist on the
    /// content type.
    ///
    /// ```
    /// # use std::time::Duration;
    /// use contrail_core::Deadline;
    /// use contrail_core::http::{Method, Request};
    /// use serde_json::json;
    ///
    /// let deadline = Deadline::after(Duration::from_secs(10));
    /// let request = Request::new(Method::POST, "http://10.0.0.5:8082/fqname-to-id", deadline)
    ///     .json(&json!({"type": "project", "fq_name": ["default-domain", "admin"]}));
    /// assert_eq!(request.headers, [("Content-Type", "application/json".to_owned())]);
    /// assert_eq!(format!("{request:?}"), "POST http://10.0.0.5:8082/fqname-to-id");
    /// ```
    pub fn json(mut self, body: &Value) -> Self {
        self.body = Some(body.to_string().into_bytes());
        self.header("Content-Type", "application/json")
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn debug_shows_neither_headers_nor_body() {
        let deadline = Deadline::after(Duration::from_secs(1));
        let request = Request::new(Method::POST, "http://h/v3/auth/tokens", deadline)
            .header("X-Auth-Token", "sesame")
            .json(&Value::from("contrail123"));
        assert_eq!(format!("{request:?}"), "POST http://h/v3/auth/tokens");
    }
}
