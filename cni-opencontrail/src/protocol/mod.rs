//! The CNI protocol, without anything of OpenContrail: what a runtime sends, and what it gets back.

pub mod answer;
pub mod cni_args;
pub mod command;
pub mod environment;
pub mod error;
pub mod json;
pub mod result;
pub mod stdin;
pub mod version;
