//! One request to the configuration API, decoded, and the answers a handler can give.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::access::Caller;
use super::error::{ApiError, HTML, Result};
use super::python_json::dumps;
use super::races::Seen;
use super::schema::Kind;
use crate::http::{Request, Response};

/// A request and who sent it.
pub struct Call<'a> {
    request: &'a Request,
    /// `http://host:port` as the client wrote it: the beginning of every href.
    pub base: String,
    /// Who sent it.
    pub caller: Caller,
    /// What it saw when it arrived.
    pub seen: Seen,
}

impl<'a> Call<'a> {
    /// The call that a request makes.
    pub fn new(request: &'a Request, caller: Caller) -> Self {
        let host = request.header("host").unwrap_or("localhost");
        Self {
            request,
            base: format!("http://{host}"),
            caller,
            seen: Seen::default(),
        }
    }

    /// The same call with what it saw when it arrived.
    pub fn with_seen(self, seen: Seen) -> Self {
        Self { seen, ..self }
    }

    /// The whole URL.
    pub fn url(&self) -> String {
        let mut url = format!("{}{}", self.base, self.request.path);
        if !self.request.query.is_empty() {
            url.push('?');
            url.push_str(&self.request.query);
        }
        url
    }

    /// The link to an object.
    pub fn href(&self, kind: Kind, uuid: Uuid) -> String {
        format!("{}/{}/{uuid}", self.base, kind.name())
    }

    /// A header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.request.header(name)
    }

    /// The JSON document of the body; null when there is none or its type is not JSON.
    ///
    /// # Errors
    /// 500 when it is broken.
    pub fn json(&self) -> Result<Value> {
        let content_type = self.request.header("content-type").unwrap_or_default();
        let is_json = content_type
            .split(';')
            .next()
            .is_some_and(|t| t.trim().eq_ignore_ascii_case("application/json"));
        if !is_json || self.request.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.request.body).map_err(|_| ApiError::internal())
    }

    /// The body's JSON object.
    ///
    /// # Errors
    /// 500 when it is anything else.
    pub fn json_object(&self) -> Result<Map<String, Value>> {
        match self.json()? {
            Value::Object(object) => Ok(object),
            _ => Err(ApiError::internal()),
        }
    }

    /// A query parameter; the last one counts when it is repeated.
    pub fn query(&self, name: &str) -> Option<String> {
        self.request
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('=').or(Some((pair, ""))))
            .filter(|(key, _)| decode(key, true) == name)
            .map(|(_, value)| decode(value, true))
            .next_back()
    }
}

/// Undoes percent-encoding, and `+` where it stands for a blank.
pub fn decode(text: &str, plus_is_blank: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = |digits: &[u8]| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 16).ok()
        };
        match (byte, after.get(..2).and_then(hex)) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = &after[2..];
                continue;
            }
            (b'+', _) if plus_is_blank => bytes.push(b' '),
            _ => bytes.push(byte),
        }
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a handler answers.
pub enum Reply {
    /// 200 with a JSON document.
    Json(Value),
    /// 200 with a JSON document that has a version.
    Versioned(Value, String),
    /// 200 without a body.
    Empty,
    /// 304.
    NotModified,
}

impl Reply {
    /// The response as it is sent.
    pub fn response(self) -> Response {
        let json = |document: &Value| Response::new(200, "application/json", dumps(document));
        match self {
            Self::Json(document) => json(&document),
            Self::Versioned(document, version) => {
                json(&document).with_header("Etag", format!("\"{version}\""))
            }
            Self::Empty => Response::new(200, HTML, ""),
            Self::NotModified => Response {
                status: 304,
                ..Response::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_the_last_of_a_name_counts() {
        let request = Request {
            query: "fields=a&fields=b%2Cc+d&flag&e=%C3%A9%zz".into(),
            ..Request::default()
        };
        let call = Call::new(&request, Caller::default());
        assert_eq!(call.query("fields").as_deref(), Some("b,c d"));
        assert_eq!(call.query("flag").as_deref(), Some(""));
        assert_eq!(call.query("e").as_deref(), Some("é%zz"));
        assert_eq!(call.query("none"), None);
    }
}
