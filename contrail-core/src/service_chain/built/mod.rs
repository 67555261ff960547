//! What the controller has built of a chain.
//!
//! A policy and its services are only half of a chain: the controller makes the other half of them, a
//! routing instance for each service in each network with the way of the routes into it, connections
//! between those, and rules in both networks' access control lists. [`assess`] compares what exists
//! with what should exist and says, leg by leg, what is missing; it is pure. [`Objects::read`]
//! reads its input.

mod assess;
mod lack;
mod leg;
mod objects;
mod of_service;
mod read;
mod state;
#[cfg(test)]
mod tests;
mod view;
mod wanted;

pub use assess::assess;
pub use lack::Lack;
pub use objects::Objects;
pub use state::{ChainState, LegState, Progress};
pub use wanted::{Wanted, WantedService};
