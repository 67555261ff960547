//! An OpenContrail on one host.

pub mod control;
pub mod faults;
pub mod http;
pub mod request_log;
