//! Messages go to standard error and, if asked for, to a file; never to standard output.

use std::io::Write as _;

use contrail_core::error::report;
use contrail_core::process::output::LogOutput;
use contrail_core::settings::LogSettings;
use log::LevelFilter;

/// Starts logging; a second call changes nothing.
pub fn start(settings: &LogSettings) {
    let (output, failure) = LogOutput::open(settings);
    let level = settings.level;
    let started = env_logger::Builder::new()
        // Libraries may log headers, and headers hold tokens.
        .filter_level(level.min(LevelFilter::Warn))
        .filter_module("contrail_core", level)
        .filter_module("cni_opencontrail", level)
        .target(env_logger::Target::Pipe(Box::new(output)))
        .format(|out, record| {
            let (time, pid) = (out.timestamp_seconds(), std::process::id());
            let level = record.level().as_str().to_ascii_lowercase();
            let message = record.args();
            writeln!(out, "{time} cni-opencontrail[{pid}] {level}: {message}")
        })
        .try_init();
    if let (Ok(()), Some(error)) = (started, failure) {
        log::warn!("{}", report(&error));
    }
}
