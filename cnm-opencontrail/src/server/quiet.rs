//! Since when a connection has had nothing to do.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the task of a connection and its requests share.
#[derive(Clone)]
pub(super) struct Quiet(Arc<Mutex<Option<Instant>>>);

/// The connection is at work as long as this value lives.
pub(super) struct AtWork(Quiet);

impl Quiet {
    /// From now on.
    pub(super) fn begin() -> Self {
        Self(Arc::new(Mutex::new(Some(Instant::now()))))
    }

    /// A request of the connection is being answered.
    pub(super) fn interrupt(&self) -> AtWork {
        *self.since() = None;
        AtWork(self.clone())
    }

    /// Whether it has lasted so long.
    pub(super) fn has_lasted(&self, time: Duration) -> bool {
        self.since().is_some_and(|since| since.elapsed() >= time)
    }

    fn since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        *self.0.since() = Some(Instant::now());
    }
}
