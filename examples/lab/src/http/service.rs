//! The seam between a service and its server.

use std::sync::Arc;

use super::message::{Request, Response};
use super::underway::Step;

/// The logic of one service, free of sockets. Calls come from several threads at once.
pub trait Service: Send + Sync {
    /// Answers a request.
    fn handle(&self, request: &Request) -> Response;

    /// Begins a request that may take several steps. By default it takes one.
    fn begin(self: Arc<Self>, request: &Request) -> Step {
        Step::Answered(self.handle(request))
    }

    /// Answers a request whose body has not been read (`request.body` is empty), to refuse it; the
    /// connection is closed then. `None` lets it in.
    fn admit(&self, request: &Request) -> Option<Response> {
        let _ = request;
        None
    }

    /// Whether [`Service::handle`] waits for anything but the processor: each request then gets a
    /// thread of its own.
    fn waits(&self) -> bool {
        true
    }

    /// What [`Service::handle`] would have answered, without doing anything: the fault "forget".
    fn pretend(&self, request: &Request) -> Response {
        let _ = request;
        Response::new(200, "application/json", "{}")
    }
}
