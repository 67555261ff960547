//! The plugin's sockets: where they are, and how they appear and go away.

mod bound;
mod paths;
pub mod systemd;

pub use bound::{Bound, Published};
pub use paths::{DIRECTORY, NAME, paths};
