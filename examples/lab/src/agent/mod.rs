//! The vRouter agent's port API (9091 in the field) with its port files.

pub mod body;
pub mod files;
pub mod info;
pub mod ports;
mod routes;
mod service;
#[cfg(test)]
mod tests;

pub use service::{Agent, AgentOptions};
