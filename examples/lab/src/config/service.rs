//! The configuration API as a service of the HTTP server.

use std::sync::Arc;

use super::access::Caller;
use super::api::ConfigApi;
use super::call::Call;
use super::error::{ApiError, HTML};
use super::races::Seen;
use super::route::respond;
use super::underway;
use crate::http::{Request, Response, Service, Step};

/// Bodies up to this length are read.
const MAX_BODY: usize = 1_024_000;
/// Request targets from this length on are refused.
const MAX_TARGET: usize = 65_536;

impl Service for ConfigApi {
    fn waits(&self) -> bool {
        false
    }

    fn handle(&self, request: &Request) -> Response {
        self.answer(request, Seen::default())
    }

    fn begin(self: Arc<Self>, request: &Request) -> Step {
        underway::begin(self, request)
    }

    fn admit(&self, request: &Request) -> Option<Response> {
        if request.path.len() + request.query.len() >= MAX_TARGET {
            return Some(Response {
                status: 414,
                reason: "Request URI Too Long",
                ..Response::default()
            });
        }
        if request.header("transfer-encoding").is_some() {
            let text = "Error while parsing chunked transfer body.";
            return Some(Response::new(400, HTML, text));
        }
        let length = request.header("content-length")?.parse::<usize>().ok()?;
        let call = Call::new(request, Caller::default());
        let refusal = ApiError::new(413, "Request to large");
        (length > MAX_BODY).then(|| refusal.response(&call.url()))
    }

    fn pretend(&self, request: &Request) -> Response {
        match self.auth.caller(request) {
            Ok(caller) => {
                let mut copy = self.lock().clone();
                respond(&mut copy, &Call::new(request, caller), request)
            }
            Err(refusal) => *refusal,
        }
    }
}
