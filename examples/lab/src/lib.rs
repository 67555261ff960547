//! An OpenContrail on one host, for trying and testing: configuration API, Keystone, the vRouter
//! agent's port API and a data plane, in one process. [`lab::Lab`] is all of it.

pub mod agent;
pub mod capture;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod dataplane;
pub mod faults;
pub mod harm;
pub mod http;
mod keeper;
pub mod keystone;
pub mod lab;
pub mod ping;
pub mod plugin_socket;
pub mod request_log;
pub mod sandbox;
pub mod status;
pub mod steer;
pub mod trace;
pub mod view;
