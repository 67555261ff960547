//! The idle time of a connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// When a connection became idle; shared by the connection's task and its requests.
#[derive(Clone)]
pub(super) struct Idle(Arc<Mutex<Option<Instant>>>);

/// The connection is busy as long as this value lives.
pub(super) struct Busy(Idle);

impl Idle {
    /// A connection that is idle from now on.
    pub(super) fn now() -> Self {
        Self(Arc::new(Mutex::new(Some(Instant::now()))))
    }

    /// Marks the connection as busy while a request is answered.
    pub(super) fn busy(&self) -> Busy {
        *self.since() = None;
        Busy(self.clone())
    }

    /// Whether the connection has been idle for at least `time`.
    pub(super) fn is_at_least(&self, time: Duration) -> bool {
        self.since().is_some_and(|since| since.elapsed() >= time)
    }

    fn since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        *self.0.since() = Some(Instant::now());
    }
}
