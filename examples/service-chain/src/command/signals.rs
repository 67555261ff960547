//! The signals that end the program. They are blocked while members are out of their port tuples for a
//! repair: a member that no description names would remain outside.

use nix::sys::signal::{SigSet, Signal};

/// Blocks the signals.
pub fn hold() {
    if let Err(error) = all().thread_block() {
        log::warn!("cannot block signals during the repair: {error}");
    }
}

/// Unblocks the signals; those that arrived meanwhile are delivered.
pub fn release() {
    if let Err(error) = all().thread_unblock() {
        log::warn!("cannot unblock signals after the repair: {error}");
    }
}

fn all() -> SigSet {
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]
        .into_iter()
        .collect()
}
