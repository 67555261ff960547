//! Panics of a program.

use std::io::Write;
use std::panic;

use super::output;

/// Makes a panic write its message and place to the log, or to standard error if the log has not
/// been started.
pub fn log_panics() {
    panic::set_hook(Box::new(|info| {
        if log::log_enabled!(log::Level::Error) {
            log::error!("{info}");
        } else {
            // Nothing helps if not even this can be written.
            let _ = output::stderr().write_all(format!("{info}\n").as_bytes());
        }
    }));
}
