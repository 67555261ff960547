//! The control endpoint's routes that act on the lab itself: its status, the path of a
//! packet in it, its end, and the end and return of single services. All others are [`Control`]'s.

use std::sync::{Arc, Weak};

use contrail_core::error::report;
use serde_json::json;

use crate::control::Control;
use crate::http::{Request, Response, Service};
use crate::lab::{Restartable, Shared};
use crate::trace::Question;

/// Serves `GET /status`, `POST /trace`, `POST /stop`, and for each of `config-api`, `keystone` and `agent`
/// `POST /<service>/stop`, `/start` and `/restart`.
pub struct Steer {
    lab: Weak<Shared>,
    control: Control,
}

impl Steer {
    /// The routes for one lab.
    pub(crate) fn new(lab: &Arc<Shared>) -> Self {
        Self {
            lab: Arc::downgrade(lab),
            control: Control::new(lab.watch().clone()),
        }
    }

    fn act(lab: &Shared, service: Restartable, verb: &str) -> Option<Response> {
        let result = match verb {
            "stop" => {
                lab.stop_service(service);
                Ok(())
            }
            "start" => lab.start_service(service),
            "restart" => {
                lab.stop_service(service);
                lab.start_service(service)
            }
            _ => return None,
        };
        Some(match result {
            Ok(()) => Response::json(200, &json!({})),
            Err(e) => Response::json(500, &json!({ "error": report(&e) })),
        })
    }
}

/// The path of the packet that is asked for.
fn trace(lab: &Shared, body: &[u8]) -> Response {
    let answer = match serde_json::from_slice::<Question>(body) {
        Ok(question) => lab.trace(&question).map_err(|error| report(&error)),
        Err(error) => Err(format!("not a question: {error}")),
    };
    match answer {
        Ok(trace) => Response::json(200, &trace),
        Err(text) => Response::new(400, "text/plain", text),
    }
}

impl Service for Steer {
    fn handle(&self, request: &Request) -> Response {
        let Some(lab) = self.lab.upgrade() else {
            return Response::json(503, &json!({ "error": "the lab ends" }));
        };
        let parts: Vec<&str> = request.path.split('/').skip(1).collect();
        let answer = match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["status"]) => {
                // What is shown is in force: scripts look here before they send packets.
                lab.settle();
                Some(Response::json(200, &lab.status()))
            }
            ("POST", ["trace"]) => {
                lab.settle();
                Some(trace(&lab, &request.body))
            }
            ("POST", ["stop"]) => {
                lab.want_stop();
                Some(Response::json(200, &json!({ "pid": std::process::id() })))
            }
            ("POST", ["config-api", verb]) => Self::act(&lab, Restartable::ConfigApi, verb),
            ("POST", ["keystone", verb]) => Self::act(&lab, Restartable::Keystone, verb),
            ("POST", ["agent", verb]) => Self::act(&lab, Restartable::Agent, verb),
            _ => None,
        };
        answer.unwrap_or_else(|| self.control.handle(request))
    }
}
