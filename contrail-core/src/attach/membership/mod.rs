//! Membership of interfaces in service instances: its end, and its upkeep while a container runs.

mod keep;
mod leave;

pub use keep::{KeptService, warn_of};
pub(crate) use leave::{end, leave, retire};
