//! Signals that must not end a program.

use nix::sys::signal::{SigHandler, Signal, signal};

/// A write beyond the limit of a file's size (`ulimit -f`) fails. Its signal would end the process in the middle
/// of the write, and leave half a file.
pub(super) fn survive_file_limit() {
    // A handler and not `SIG_IGN`, which programs that this one starts would inherit.
    let handler = SigHandler::Handler(nothing);
    // SAFETY: the handler does nothing, so it is safe whatever it interrupts.
    #[allow(unsafe_code)]
    let set = unsafe { signal(Signal::SIGXFSZ, handler) };
    if let Err(error) = set {
        log::debug!("cannot handle SIGXFSZ: {error}");
    }
}

extern "C" fn nothing(_: libc::c_int) {}
