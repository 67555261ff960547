//! The data plane in the kernel, alone and as part of a lab: real packets between containers that
//! are plain namespaces.

#![allow(clippy::unwrap_used)]

mod built;
mod chains;
mod command_line;
mod files;
mod isolation;
mod lab;
mod leaving;
mod lifecycle;
mod modes;
mod reach;
mod scene;
mod several_chains;
mod talk;
mod trace;
mod world;
