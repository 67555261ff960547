//! What every program of this project does with its process: logging, panics, reports, signals.
//!
//! Its settings come from [`Sources::of_process`](crate::settings::Sources::of_process).

pub mod logging;
mod memory;
pub mod output;
mod panics;
mod signals;
mod stderr;

pub use stderr::Patient;

/// What a program does first: a panic is logged, memory that is freed returns to the system, and a file that
/// must not grow is an error of the write instead of the end of the process.
pub fn begin() {
    panics::log_panics();
    memory::return_freed();
    signals::survive_file_limit();
}
