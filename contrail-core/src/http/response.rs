//! An answer as a value.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _};

use super::text;
use crate::error::{Error, after_colon, visible};
use crate::values::Secret;
use crate::values::text::shortened;

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
        let text = text::plain(&self.body);
        match self.redirect() {
            Some(target) => format!("a redirect to {}{}", shortened(target), after_colon(&text)),
            None => text,
        }
    }

    /// Where a redirect leads to.
    pub fn redirect(&self) -> Option<&str> {
        let is_redirect = (300..400).contains(&self.status);
        self.header("Location").filter(|_| is_redirect)
    }

    /// Size and type of the body, and where a redirect leads to: for an answer that is not one of the
    /// service that was asked.
    ///
    /// ```
    /// use contrail_core::http::Response;
    ///
    /// assert_eq!(Response::new(200, "hello").described(), "5 bytes without content type");
    /// ```
    pub fn described(&self) -> String {
        let kind = self.header("Content-Type").filter(|kind| !kind.is_empty());
        let kind = kind.map_or_else(
            || "without content type".to_owned(),
            |kind| format!("of {}", shortened(kind)),
        );
        let encoding = self.header("Content-Encoding");
        let encoding = encoding.map_or_else(String::new, |encoding| {
            format!(
                ", encoded as {}, which was not asked for",
                shortened(encoding)
            )
        });
        let target = self.redirect().map_or_else(String::new, |target| {
            format!(", a redirect to {}", shortened(target))
        });
        format!("{} bytes {kind}{encoding}{target}", self.body.len())
    }

    /// The body without a byte order mark, which some proxies add to UTF-8.
    pub(crate) fn json_body(&self) -> &[u8] {
        self.body
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(&self.body)
    }

    /// Whether the body may be a JSON object: anything else is no answer of a service of the controller.
    pub(crate) fn may_be_json(&self) -> bool {
        self.json_body().trim_ascii_start().starts_with(b"{")
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
        serde_json::from_slice(self.json_body()).map_err(|source| self.undecodable(what(), &source))
    }

    /// The error of a body that cannot be understood.
    pub(crate) fn undecodable(&self, what: String, source: &serde_json::Error) -> Error {
        let (status, described) = (self.status, self.described());
        // The parser's message repeats what it has met, whatever its length.
        let reason = shortened(&visible(&source.to_string()));
        Error::Decode {
            what: format!("{what} (status {status}, {described})"),
            source: serde_json::Error::custom(reason),
        }
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
