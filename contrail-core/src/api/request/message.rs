//! One request as a value.

use crate::http::AnswerKind;
use crate::values::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// What is percent-encoded in a query: all but RFC 3986's unreserved characters and the API's own
/// separators.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b',');

/// One request to the API, the same for each of its servers.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiRequest {
    /// The method.
    pub method: Method,
    /// The path, percent-encoded.
    pub path: String,
    /// The query: keys, and values that are not encoded yet.
    pub query: Vec<(&'static str, String)>,
    /// The body.
    pub body: Option<Value>,
    /// What it is answered with.
    pub answer: AnswerKind,
    /// Whether it may be sent again if it is unknown whether it was carried out.
    pub repeatability: Repeatability,
}

/// Whether a request may be sent again when it is unknown whether it was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Repeatability {
    /// It changes nothing.
    Safe,
    /// However often it is sent, the result is the same.
    Idempotent,
    /// As `Idempotent` once it was carried out, but two at the same time do harm: whether it was
    /// carried out is looked up before it is sent again.
    OneAtATime,
    /// Each time it changes something more.
    Once,
}

impl ApiRequest {
    pub(crate) fn new(method: Method, path: String) -> Self {
        let repeatability = match method {
            Method::GET => Repeatability::Safe,
            _ => Repeatability::Idempotent,
        };
        Self {
            method,
            path,
            query: Vec::new(),
            body: None,
            answer: AnswerKind::Object,
            repeatability,
        }
    }

    /// The same request, answered with a list.
    pub(super) fn for_list(self) -> Self {
        Self {
            answer: AnswerKind::List,
            ..self
        }
    }

    pub(super) fn post(path: &str, body: Value) -> Self {
        Self {
            body: Some(body),
            ..Self::new(Method::POST, path.to_owned())
        }
    }

    /// A query that does not fit into a URL.
    pub(super) fn query_by_post(path: &str, body: Value) -> Self {
        Self {
            repeatability: Repeatability::Safe,
            ..Self::post(path, body)
        }
    }

    /// Path and query as they are sent.
    ///
    /// ```
    /// use contrail_core::api::request;
    ///
    /// let name = "default-domain:admin:net 1".parse()?;
    /// let request = request::lookup("virtual-network", &name).ok_or("no list of names")?;
    /// assert_eq!(
    ///     request.target(),
    ///     "/virtual-networks?fq_names=default-domain:admin:net%201&detail=true"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn target(&self) -> String {
        let mut target = self.path.clone();
        let mut separator = '?';
        for (key, value) in &self.query {
            target.push(separator);
            target.push_str(key);
            target.push('=');
            target.extend(utf8_percent_encode(value, ENCODED));
            separator = '&';
        }
        target
    }
}
