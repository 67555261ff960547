//! Virtual networks of attachments: finding and creating them, their subnets, and the end of one that the
//! plugins made.

mod find;
pub(crate) mod leave;
pub mod subnets;

pub use find::Network;
pub(crate) use find::{create, find, fitting, wanted};
