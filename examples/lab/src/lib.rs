//! An OpenContrail on one host.

mod clock;
pub mod config;
pub mod control;
pub mod faults;
pub mod http;
pub mod keystone;
pub mod request_log;
pub mod view;
