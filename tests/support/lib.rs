//! What the tests of this crate share: the plugin as a process, and the world around it as a value
//! that can be compared before and after.
//!
//! All of it is meant for the inside of [`contrail_lab::sandbox`], where the default addresses and
//! directories are free.

pub mod plugin;
pub mod world;
