//! Whole attachments: an interface of a container is made, plugged in, checked and detached in one call.

mod attach;
mod check;
mod detach;
mod plug;

pub use check::Expected;
