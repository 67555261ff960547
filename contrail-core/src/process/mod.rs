//! What every program of this project does with its process: logging, panics, reports.
//!
//! Its settings come from [`Sources::of_process`](crate::settings::Sources::of_process).

pub mod logging;
pub mod output;
pub mod panics;
