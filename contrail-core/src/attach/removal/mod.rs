//! Removing what an attachment made: typed steps, run in an order that keeps service chains intact, and
//! a queue on disk for those that have to wait until the API or the agent answers again.

mod defer;
mod effect;
mod owner;
mod pending;
mod queue;
mod run;
mod step;

pub use defer::Detached;
pub(crate) use owner::{Proof, is_of_other_machine};
pub(crate) use pending::{forget, settle};
pub use queue::PendingRemoval;
pub(crate) use run::{Failed, run};
pub use step::Step;
