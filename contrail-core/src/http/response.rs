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
    /// The headers in the order of arrival.
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

    /// The value of the first header of this name; the case of the name does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as one line of plain text: HTML pages and JSON errors are reduced to their message, texts
    /// of more than 1,000 bytes are cut.
    ///
    /// ```
    /// use contrail_core::http::Response;
    ///
    /// let page = "<html><body><h1>503 Service Unavailable</h1></body></html>";
    /// assert_eq!(Response::new(503, page).text(), "503 Service Unavailable");
    /// ```
    pub fn text(&self) -> String {
        text::plain(&self.body)
    }

    /// The same answer with `secret` hidden in its headers and, if it is an error, in its body: a
    /// proxy's page may repeat the request's headers.
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

    /// The status, and the body's text if there is any: `status 503: no server is available`.
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
