//! What a program writes for its user: reports to standard output, its error to standard error.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::time::Duration;

use super::stderr::Patient;
use crate::error::{Error, Result, report, visible};

/// How long the last words of a program wait for their reader.
const PATIENCE: Duration = Duration::from_millis(500);

/// Writes to standard output. A closed reader (`| head`) is no failure.
///
/// # Errors
/// When it cannot be written for another reason, such as a full disk.
pub fn print(text: impl AsRef<[u8]>) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_ref())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::file("write to", "standard output", error))
        }
        _ => Ok(()),
    }
}

/// Standard error for explanations to people. A program ends although nobody reads them.
pub fn stderr() -> Patient {
    Patient::stderr(PATIENCE)
}

/// Writes what deserves attention in a report of `program` to standard error.
pub fn print_warning(program: &str, warning: &dyn std::fmt::Display) {
    // The report itself says what matters most.
    let warning = visible(&warning.to_string());
    let _ = stderr().write_all(format!("{program}: warning: {warning}\n").as_bytes());
}

/// Writes the error with which `program` ends, and its causes, to standard error.
pub fn print_error(program: &str, error: &dyn std::error::Error) {
    // Nothing helps if not even this can be written.
    let _ = stderr().write_all(format!("{program}: {}\n", report(error)).as_bytes());
}

/// Ends the process with `code` because its command line was wrong, and says why to standard error.
pub fn refuse_usage(error: impl Display, code: i32) -> ! {
    let _ = stderr().write_all(error.to_string().as_bytes());
    std::process::exit(code)
}
