//! Setting up a process: where it writes its reports and its log.

pub mod output;
