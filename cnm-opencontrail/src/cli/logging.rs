//! The log of the daemon: standard error with times, and a file if one is asked for.

use contrail_core::error::report;
use contrail_core::process::output::LogOutput;
use contrail_core::settings::LogSettings;
use log::LevelFilter;

/// Starts logging.
pub(super) fn start(settings: &LogSettings) {
    let (output, failure) = LogOutput::open(settings);
    let level = settings.level;
    let started = env_logger::Builder::new()
        // Libraries may log headers, and headers hold tokens.
        .filter_level(level.min(LevelFilter::Warn))
        .filter_module("contrail_core", level)
        .filter_module("cnm_opencontrail", level)
        .format_timestamp_millis()
        .format_target(false)
        .target(env_logger::Target::Pipe(Box::new(output)))
        .try_init();
    if let (Ok(()), Some(error)) = (started, failure) {
        log::warn!("{}", report(&error));
    }
}
