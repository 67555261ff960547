//! An OpenContrail on one host.

pub mod agent;
mod clock;
pub mod config;
pub mod control;
pub mod dataplane;
pub mod faults;
pub mod http;
pub mod keystone;
pub mod ping;
pub mod request_log;
pub mod sandbox;
pub mod view;
