//! The networks and endpoints that are being made or taken away at this moment: two calls about one of
//! them wait for each other, and tidying up must not take it for what an interrupted call has left.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use contrail_core::{Deadline, Error as CoreError};

use crate::error::Result;

/// Their ids.
#[derive(Default)]
pub(super) struct Making {
    ids: Mutex<BTreeSet<String>>,
    ended: Condvar,
}

/// Something is being made as long as this value lives.
pub(super) struct Guard<'a> {
    making: &'a Making,
    id: String,
}

impl Making {
    /// Waits until nobody else is at it.
    ///
    /// # Errors
    /// When the deadline comes first.
    pub(super) fn begin(&self, id: &str, end: Deadline) -> Result<Guard<'_>> {
        let patience = end.remaining();
        let waited = self
            .ended
            .wait_timeout_while(self.ids(), patience, |ids| ids.contains(id));
        // A set is whole at any time.
        let (mut ids, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let id = id.to_owned();
        match ids.insert(id.clone()) {
            true => Ok(Guard { making: self, id }),
            false => Err(CoreError::Timeout {
                operation: format!("waiting for another call about {id}"),
                seconds: patience.as_secs_f32(),
            }
            .into()),
        }
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.ids().contains(id)
    }

    fn ids(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.making.ids().remove(&self.id);
        self.making.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn two_calls_about_one_thing_wait_for_each_other_and_not_for_ever() {
        let making = &Making::default();
        let soon = || Deadline::after(Duration::from_millis(10));
        let guard = making.begin("e1", soon()).unwrap();
        assert!(making.contains("e1"));
        assert!(making.begin("e2", soon()).is_ok());
        let refused = making.begin("e1", soon()).err().unwrap().to_string();
        assert!(refused.contains("another call about e1"), "{refused}");
        thread::scope(|scope| {
            let far = Deadline::after(Duration::from_secs(60));
            let waiter = scope.spawn(move || making.begin("e1", far).is_ok());
            drop(guard);
            assert!(waiter.join().unwrap());
        });
        assert!(!making.contains("e1"));
    }
}
