//! Where the programs of this project write: reports to standard output, messages to the log.

use std::fs::File;
use std::io::{self, ErrorKind, Write};

use crate::error::{Error, Result};
use crate::files;
use crate::settings::LogSettings;

/// Writes to standard output. That its reader has gone (`| head`) is no failure.
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

/// The log: standard error, and a file if the settings name one. Whatever happens to either, no container
/// fails for its log.
#[derive(Debug)]
pub struct LogOutput {
    file: Option<File>,
}

impl LogOutput {
    /// The log that the settings describe, and what stands against its file, to be logged.
    pub fn open(settings: &LogSettings) -> (Self, Option<Error>) {
        let Some(path) = &settings.file else {
            return (Self { file: None }, None);
        };
        match files::open_log(path) {
            Ok(file) => (Self { file }, None),
            Err(error) => {
                let error = Error::file("write log file", path, error);
                (Self { file: None }, Some(error))
            }
        }
    }
}

impl Write for LogOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // One call per line for each: lines of parallel processes stay whole.
        if let Some(file) = &mut self.file {
            file.write_all(bytes).ok();
        }
        io::stderr().write_all(bytes).ok();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
