//! Endpoints: attachments of a runtime that asks for them in two halves, first for the objects and the
//! addresses, then for the interface, and moves that into the container itself.
//!
//! The ids follow from the runtime's own id of the endpoint, the id of the virtual machine from the
//! container's sandbox: so all endpoints of one container share it.

mod halves;
mod keep;
mod spec;
mod steps;

pub use keep::Kept;
pub use spec::{Endpoint, EndpointAddress, FoundEndpoint, Joined};
