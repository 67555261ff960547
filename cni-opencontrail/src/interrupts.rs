//! SIGTERM, SIGINT and SIGHUP while a container is being attached: the step in progress is
//! completed, then all is rolled back: the caller no longer waits for the result.

use std::sync::OnceLock;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Whether the caller has given up.
pub trait Interrupts {
    /// From now on signals are caught, and reported by [`Interrupts::came`].
    fn defer(&self);

    /// Whether one has come since.
    fn came(&self) -> bool;
}

/// Those of the process.
#[derive(Default)]
pub struct Signals {
    file: OnceLock<SignalFd>,
    /// A signal can be read only once.
    seen: OnceLock<()>,
}

impl Interrupts for Signals {
    /// Threads that are started later inherit it. Where it does not work, signals end the process as before.
    fn defer(&self) {
        let mut signals = SigSet::empty();
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            signals.add(signal);
        }
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        if let Ok(file) = SignalFd::with_flags(&signals, flags)
            && signals.thread_block().is_ok()
        {
            // The first one stays.
            let _ = self.file.set(file);
        }
    }

    fn came(&self) -> bool {
        let signal = self.file.get().map(SignalFd::read_signal);
        if let Some(Ok(Some(_))) = signal {
            self.seen.get_or_init(|| ());
        }
        self.seen.get().is_some()
    }
}
