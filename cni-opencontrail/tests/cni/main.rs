//! What runtimes and people see of the plugin: each module is one part of its behaviour.

#![allow(clippy::unwrap_used)] // helpers of tests, not only tests

mod add;
mod check;
mod clean;
mod configuration;
mod del;
mod environment;
mod keys;
mod process;
mod properties;
mod recorded;
mod results;
mod support;
