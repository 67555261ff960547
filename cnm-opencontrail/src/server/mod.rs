//! The plugin's HTTP server: a bounded number of connections and of running calls.
//!
//! Every request that has arrived gets an answer: Docker would repeat an unanswered request without its
//! body. So a malformed request, a slow body or a panic fails that request alone.
//!
//! `accept` takes connections, `connection` answers the requests of one, `request` reads and writes
//! single HTTP messages.

mod accept;
mod connection;
mod idle;
mod limits;
mod request;

pub use accept::Server;
pub use limits::Limits;
