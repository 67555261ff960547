//! What an operator or a runtime asks for besides attaching: status, garbage collection, clean-up.

mod clean;
mod collect;
mod fate;
mod machines;
mod orphans;
mod status;
mod waiting;

pub use clean::{Cleaned, Decided, ORPHAN_GRACE};
pub use fate::Fate;
pub use machines::IdleMachine;
pub use orphans::Orphan;
pub use status::Status;
pub use waiting::Waiting;
