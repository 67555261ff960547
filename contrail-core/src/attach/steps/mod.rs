//! The steps of an attachment, shared by whole attachments ([`interface`](super::interface)) and halves
//! ([`endpoint`](super::endpoint)). Each notes in the transaction how to undo it.

mod addresses;
mod create;
mod network;
mod service;

pub(crate) use create::{Created, Ip};
