//! The configuration of a call: one network, or a document of several.

pub mod document;
pub mod invalid;
pub mod keys;
pub mod network;
pub mod requests;
pub mod sources;
pub mod unknown;
pub mod unsupported;
