//! Whose messages are logged.

use contrail_core::process::logging;
use contrail_core::settings::LogSettings;
use log::{Level, LevelFilter, log_enabled};

#[test]
fn other_crates_log_warnings_at_most_whatever_the_level() {
    let settings = LogSettings {
        level: LevelFilter::Trace,
        file: None,
    };
    logging::start("service-chain", &settings);
    assert!(log_enabled!(target: "contrail_core::http", Level::Trace));
    assert!(log_enabled!(target: "service_chain::command", Level::Trace));
    for target in [
        "ureq::run",
        "ureq_proto::client",
        "rustls::client::hs",
        "hyper::proto",
        "netlink_proto::connection",
    ] {
        assert!(log_enabled!(target: target, Level::Warn), "{target}");
        assert!(!log_enabled!(target: target, Level::Info), "{target}");
    }
}
