//! What an operator or a runtime asks for beside attaching: status, garbage collection, clean-up.

mod clean;
mod collect;
mod machines;
mod orphans;
mod status;
mod waiting;

pub use clean::{Cleaned, Decided, Fate};
pub use machines::IdleMachine;
pub use orphans::Orphan;
pub use status::Status;
pub use waiting::Waiting;
