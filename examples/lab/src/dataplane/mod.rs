//! The data plane: a vRouter for container ports out of stock Linux.
//!
//! One network namespace holds the router: a routing table for each virtual network, a rule for
//! each port, and one packet filter. What is wanted is a pure function of the agent's ports, the
//! configuration and the host's links ([`model`], [`render`], [`nft`]); the rest brings the kernel
//! there. A thread of its own does all of it and sleeps as long as nothing changes.

mod apply;
mod chains;
mod conntrack;
mod filter;
pub mod flow;
mod handle;
mod messages;
pub mod model;
pub mod namespace;
pub mod netlink;
pub mod nft;
pub mod object;
mod plane;
mod policy;
mod port_state;
pub mod render;
mod resolve;
mod router;
#[cfg(test)]
mod samples;
pub mod trace;
mod watch;
pub mod wire;

pub use handle::{DataPlane, Notifier, clean};
pub use messages::{Inputs, Mode, PlaneOptions, PortSnapshot, Snapshot};
