//! The log of the daemon: standard error with times, and a file if one is asked for.

use std::fs::File;
use std::io::{self, Write};

use contrail_core::files;
use contrail_core::settings::LogSettings;
use log::LevelFilter;

/// Starts logging. A file that cannot be opened is reported and otherwise done without.
pub(super) fn start(settings: &LogSettings) {
    let opened = settings.file.as_deref().map(files::open_log);
    let (file, failure) = match opened {
        None => (None, None),
        Some(Ok(file)) => (file, None),
        Some(Err(error)) => (None, Some(error)),
    };
    let level = settings.level;
    let started = env_logger::Builder::new()
        // Libraries may log headers, and headers hold tokens.
        .filter_level(level.min(LevelFilter::Warn))
        .filter_module("contrail_core", level)
        .filter_module("cnm_opencontrail", level)
        .format_timestamp_millis()
        .format_target(false)
        .target(env_logger::Target::Pipe(Box::new(Tee { file })))
        .try_init();
    if let (Ok(()), Some(path), Some(error)) = (started, &settings.file, failure) {
        log::warn!("cannot write log file {}: {error}", path.display());
    }
}

struct Tee {
    file: Option<File>,
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A log that cannot be written is no reason to fail a container.
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
