//! Refusals, with the statuses and texts of the real server.

use serde_json::Value;

use super::python_repr::{repr, repr_str, str_of};
use crate::http::Response;

/// Bare text and the HTML pages have this type.
pub const HTML: &str = "text/html; charset=UTF-8";

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The text of the answer.
    pub text: String,
}

/// The result of a handler.
pub type Result<T, E = ApiError> = std::result::Result<T, E>;

impl ApiError {
    /// A refusal with its text.
    pub fn new(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
        }
    }

    /// 400.
    pub fn bad_request(text: impl Into<String>) -> Self {
        Self::new(400, text)
    }

    /// 500 without a reason: what the server says of JSON that it cannot use, for one.
    pub fn internal() -> Self {
        Self::new(500, "Internal Server Error")
    }

    /// 500 with the last line of a Python traceback.
    pub fn traceback(line: impl Into<String>) -> Self {
        Self::new(500, line)
    }

    /// 500: nothing has this id or name, which the server found out too late to say it properly.
    pub fn no_id_error(what: &str) -> Self {
        Self::traceback(format!("vnc_api.exceptions.NoIdError: Unknown id: {what}"))
    }

    /// 404: no object has this id.
    pub fn unknown_id(id: &str) -> Self {
        Self::new(404, format!("Unknown id: {id}"))
    }

    /// 404: the id belongs to an object of another type.
    pub fn other_type(kind: &str, id: &str) -> Self {
        Self::new(404, format!("No {kind} object found for id {id}"))
    }

    /// 404: no object has this name.
    pub fn unknown_name(name: &Value) -> Self {
        Self::new(404, format!("Name {} not found", repr(name)))
    }

    /// 404: no such type.
    pub fn unknown_type(name: &Value) -> Self {
        let name = str_of(name);
        Self::new(404, format!("Resource type '{name}' not found"))
    }

    /// 404: no such route.
    pub fn unknown_path(path: &str) -> Self {
        Self::new(404, format!("Not found: {}", repr_str(path)))
    }

    /// The answer. Most refusals are bare text; two statuses come as a page of the web framework,
    /// which names the URL.
    pub fn response(&self, url: &str) -> Response {
        let body = match self.status {
            412 => page("412 Precondition Failed", url, &self.text),
            413 => page("413 Request Entity Too Large", url, &self.text),
            _ => self.text.clone(),
        };
        let mut response = Response::new(self.status, HTML, body);
        if self.status == 413 {
            response.reason = "Request Entity Too Large";
        }
        response
    }
}

/// The web framework's error page.
fn page(title: &str, url: &str, text: &str) -> String {
    let url = repr_str(url)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#039;");
    format!(
        r#"
    <!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">
    <html>
        <head>
            <title>Error: {title}</title>
            <style type="text/css">
              html {{background-color: #eee; font-family: sans;}}
              body {{background-color: #fff; border: 1px solid #ddd;
                    padding: 15px; margin: 15px;}}
              pre {{background-color: #eee; border: 1px solid #ddd; padding: 5px;}}
            </style>
        </head>
        <body>
            <h1>Error: {title}</h1>
            <p>Sorry, the requested URL <tt>{url}</tt>
               caused an error:</p>
            <pre>{text}</pre>
        </body>
    </html>
"#
    )
}
