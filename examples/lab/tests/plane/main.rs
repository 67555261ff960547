//! The data plane in the kernel, alone and as part of a lab: real packets between containers that
//! are plain namespaces.

#![allow(clippy::unwrap_used)]

mod isolation;
mod lifecycle;
mod reach;
mod world;
