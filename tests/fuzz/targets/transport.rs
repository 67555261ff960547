//! A server that answers with the same text whatever it is asked.

use std::sync::Arc;

use contrail_core::http::{Request, Response, Transport, TransportError};

struct Parrot(Response);

impl Transport for Parrot {
    fn send(&self, _: &Request) -> Result<Response, TransportError> {
        Ok(self.0.clone())
    }
}

/// A transport that always gets this answer.
pub fn answering(status: u16, body: &[u8]) -> Arc<dyn Transport> {
    Arc::new(Parrot(Response::new(status, body)))
}
