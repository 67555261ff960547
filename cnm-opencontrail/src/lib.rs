//! The Docker network and IPAM driver `opencontrail`.
//!
//! A request passes these modules: [`server`] reads it from a [`socket`], [`proto`] says which call it is,
//! the [`Plugin`] carries it out in the network [`driver`] or the [`ipam`] driver, and the server writes the
//! answer.

pub mod cli;
pub mod daemon;
pub mod driver;
pub mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod ipam;
mod keyed_lock;
mod network_users;
pub mod options;
pub mod plugin;
pub mod proto;
mod reserved;
pub mod server;
pub mod socket;
mod stage;

pub use error::{Error, Result};
pub use plugin::Plugin;
