//! The log of a program: standard error, and a file if the settings name one. It never goes to
//! standard output, which is for results.

use std::fs::File;
use std::io::{self, Write};

use log::LevelFilter;

use crate::error::{Error, report};
use crate::files;
use crate::settings::LogSettings;

/// Starts the log of `program`, such as `cni-opencontrail`; a second call changes nothing.
///
/// The level holds for the crate of the program, whose name has `_` for `-`, and for this one.
/// Other crates log warnings at most: they may log headers, and headers hold tokens.
///
/// A log file that cannot be written is logged as a warning: no container fails for its log.
pub fn start(program: &'static str, settings: &LogSettings) {
    let (output, failure) = Output::open(settings);
    let level = settings.level;
    let started = env_logger::Builder::new()
        .filter_level(level.min(LevelFilter::Warn))
        .filter_module("contrail_core", level)
        .filter_module(&program.replace('-', "_"), level)
        .target(env_logger::Target::Pipe(Box::new(output)))
        .format(move |out, record| {
            let (time, pid) = (out.timestamp_millis(), std::process::id());
            let level = record.level().as_str().to_ascii_lowercase();
            writeln!(out, "{time} {program}[{pid}] {level}: {}", record.args())
        })
        .try_init();
    if let (Ok(()), Some(error)) = (started, failure) {
        log::warn!("{}", report(&error));
    }
}

/// Standard error and the log file.
struct Output {
    file: Option<File>,
}

impl Output {
    /// The output that the settings describe, and why its file cannot be written, if it cannot.
    fn open(settings: &LogSettings) -> (Self, Option<Error>) {
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

impl Write for Output {
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
