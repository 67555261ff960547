//! What can go wrong while talking to the controller and its agents, as data: what was attempted, on
//! what, and what the other side said.
//!
//! Each layer above has errors of its own, which hold these: `kernel::Error`, `service_chain::Error`
//! and `attach::Error`. `?` converts upwards. `Display` never repeats the source; [`report`] prints
//! the whole chain of causes.

mod layered;
mod nature;
mod variants;

pub use crate::values::text::{after_colon, counted, quoted, report, reports, rounded, visible};
pub use layered::{Behind, Layered};
pub use variants::{Error, Result};

#[cfg(test)]
mod tests;
