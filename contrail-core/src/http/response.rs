//! An answer as a value.

use std::fmt;

use serde::de::DeserializeOwned;

use super::text;
use crate::error::{Error, after_colon};
use crate::values::Secret;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_body() {
        let response = Response::new(200, "sesame");
        assert_eq!(format!("{response:?}"), "status 200, 6 bytes");
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
}
