//! The lab's own endpoint: the request log and the faults.

use serde_json::json;

use crate::faults::Rule;
use crate::http::{Request, Response, Service, Watch};

/// Serves `/log`, `/faults` and `/health`.
pub struct Control {
    watch: Watch,
}

impl Control {
    /// The endpoint for one lab.
    pub fn new(watch: Watch) -> Self {
        Self { watch }
    }

    fn log(&self) -> Response {
        let log = &self.watch.log;
        Response::json(
            200,
            &json!({
                "requests": log.entries(),
                "counts": log.counts(),
                "serial_depth": log.serial_depth(),
            }),
        )
    }

    /// Adds one rule, or all of a list, or none when one of them cannot be understood.
    fn add_faults(&self, body: &[u8]) -> Response {
        let one = || serde_json::from_slice::<Rule>(body).map(|rule| vec![rule]);
        let is_list = body.trim_ascii_start().starts_with(b"[");
        let rules = if is_list {
            serde_json::from_slice(body)
        } else {
            one()
        };
        match rules {
            Ok(rules) => {
                rules
                    .into_iter()
                    .for_each(|rule| self.watch.faults.add(rule));
                self.faults()
            }
            Err(error) => Response::json(400, &json!({ "error": error.to_string() })),
        }
    }

    fn faults(&self) -> Response {
        Response::json(200, &json!({ "faults": self.watch.faults.list() }))
    }
}

impl Service for Control {
    fn handle(&self, request: &Request) -> Response {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/health") => Response::json(200, &json!({ "status": "ok" })),
            ("GET", "/log") => self.log(),
            ("DELETE", "/log") => {
                self.watch.log.reset();
                Response::json(200, &json!({}))
            }
            ("GET", "/faults") => self.faults(),
            ("POST", "/faults") => self.add_faults(&request.body),
            ("DELETE", "/faults") => {
                self.watch.faults.clear();
                Response::json(200, &json!({}))
            }
            _ => Response::json(404, &json!({ "error": "no such route" })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str, body: &str) -> Request {
        Request {
            method: method.into(),
            path: path.into(),
            body: body.into(),
            ..Request::default()
        }
    }

    #[test]
    fn faults_are_added_one_or_many_and_removed() {
        let control = Control::new(Watch::default());
        let one = r#"{"service":"agent","action":"hang"}"#;
        let add = |body: &str| control.handle(&request("POST", "/faults", body)).status;
        assert_eq!(add(one), 200);
        assert_eq!(add(&format!("[{one},{one}]")), 200);
        assert_eq!(add(&format!("[{one},{{}}]")), 400);
        assert_eq!(control.watch.faults.list().len(), 3);
        control.handle(&request("DELETE", "/faults", ""));
        assert!(control.watch.faults.list().is_empty());
    }

    #[test]
    fn the_log_is_shown_with_its_serial_depth_and_reset() {
        let control = Control::new(Watch::default());
        let seen = request("GET", "/projects", "");
        let name = crate::http::ServiceName::ConfigApi;
        control.watch.log.begin(name, 1, &seen).end(200);
        let shown = control.handle(&request("GET", "/log", ""));
        let shown: serde_json::Value = serde_json::from_slice(&shown.body).unwrap();
        assert_eq!(shown["serial_depth"], 1);
        assert_eq!(shown["requests"][0]["path"], "/projects");
        control.handle(&request("DELETE", "/log", ""));
        assert!(control.watch.log.entries().is_empty());
    }
}
