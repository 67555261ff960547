//! The CNI plugin `opencontrail`.

use std::process::ExitCode;

/// Runs one CNI command.
pub fn run() -> ExitCode {
    ExitCode::FAILURE
}
