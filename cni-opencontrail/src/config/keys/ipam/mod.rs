//! The key `ipam`.

mod prefix;
mod read;
mod route;
mod subnet;

pub use read::{Ipam, KEYS, parse};
