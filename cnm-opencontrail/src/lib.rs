//! The Docker network and IPAM driver `opencontrail`.
//!
//! A request goes one way: [`server`] reads it from the socket, [`proto`] says which call it is,
//! a [`Plugin`] carries it out, and the server writes the answer.

pub mod cli;
pub mod daemon;
pub mod driver;
pub mod error;
pub mod ipam;
mod making;
pub mod plugin;
pub mod proto;
pub mod server;
pub mod socket;
mod users;

pub use error::{Error, Result};
pub use plugin::Plugin;
