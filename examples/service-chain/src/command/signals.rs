//! The signals by which people end a program. They wait while members of a chain are outside of their port
//! tuples: those that no description names would stay there.

use nix::sys::signal::{SigSet, Signal};

/// Lets the signals wait.
pub fn hold() {
    if let Err(error) = all().thread_block() {
        log::warn!("signals end the program at once: {error}");
    }
}

/// Lets those through that have waited.
pub fn release() {
    if let Err(error) = all().thread_unblock() {
        log::warn!("signals still wait: {error}");
    }
}

fn all() -> SigSet {
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]
        .into_iter()
        .collect()
}
