//! The commands: those of the protocol, and `clean` for operators. Each is one file with a `run`.

pub mod add;
pub mod check;
pub mod clean;
pub mod del;
pub mod gc;
pub mod plan;
pub mod status;
