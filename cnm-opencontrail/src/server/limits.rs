//! The limits of the server.

use std::time::Duration;

/// How many calls and connections the server takes, how large a request may be, and how long each step may
/// last.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls that run at the same time; further ones wait. Constant calls are not counted.
    pub calls: usize,
    /// Open connections; further ones wait in the socket's queue until idle connections are closed.
    pub connections: usize,
    /// The longest body, in bytes: a published range of all ports takes 6 MB.
    pub body: usize,
    /// The length of a body, in bytes, from which on it takes one of the places of `large`.
    pub small: usize,
    /// Calls with large bodies that are read and answered at the same time; further ones wait.
    pub large: usize,
    /// How long the body of a request may take to arrive, and how long a connection may be idle while
    /// others wait for its place.
    pub arrival: Duration,
    /// How long a connection may wait for the rest of a head, or for its next request: Docker keeps
    /// its connections, and a request on a connection that has just been closed is repeated without its body.
    pub idle: Duration,
    /// How long running calls may take after the signal to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls: 32,
            connections: 512,
            body: 8 << 20,
            small: 64 << 10,
            large: 4,
            arrival: Duration::from_secs(10),
            idle: Duration::from_secs(3600),
            drain: Duration::from_secs(25),
        }
    }
}
