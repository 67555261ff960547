//! The types of HTTP that ureq shares with its callers: the `http` crate.

pub use ureq::http::{Method, Uri};
