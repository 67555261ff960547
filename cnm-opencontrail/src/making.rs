//! The networks, endpoints and pools that are being made or taken away at this moment: two calls about one
//! of them wait for each other, and tidying up leaves it alone.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contrail_core::{Deadline, Error as CoreError};

use crate::error::{Error, Result};

/// How often is looked whether waiting still makes sense.
const INTERVAL: Duration = Duration::from_millis(20);

/// Their ids.
#[derive(Default)]
pub(crate) struct Making {
    ids: Mutex<BTreeSet<String>>,
    ended: Condvar,
}

/// Something is being made as long as this value lives.
pub(crate) struct Guard<'a> {
    making: &'a Making,
    id: String,
}

impl Making {
    /// Waits until nobody else is at it.
    ///
    /// # Errors
    /// When the deadline comes first.
    pub(crate) fn begin(&self, id: &str, end: Deadline) -> Result<Guard<'_>> {
        let patience = end.remaining();
        let waited = self
            .ended
            .wait_timeout_while(self.ids(), patience, |ids| ids.contains(id));
        // A set is whole at any time.
        let (mut ids, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let id = id.to_owned();
        match ids.insert(id.clone()) {
            true => Ok(Guard { making: self, id }),
            false => Err(too_late(&id, patience)),
        }
    }

    /// Waits as [`Making::begin`] as long as that makes sense; `None` when it does not any more. For
    /// whoever is at something else meanwhile, for which the other one may be waiting.
    ///
    /// # Errors
    /// When the deadline comes first.
    pub(crate) fn begin_while(
        &self,
        id: &str,
        end: Deadline,
        makes_sense: impl Fn() -> Result<bool>,
    ) -> Result<Option<Guard<'_>>> {
        let patience = end.remaining();
        while makes_sense()? {
            if let Ok(guard) = self.begin(id, end.at_most(INTERVAL)) {
                return Ok(Some(guard));
            }
            if end.has_passed() {
                return Err(too_late(id, patience));
            }
        }
        Ok(None)
    }

    /// Begins, unless somebody is at it.
    pub(crate) fn begin_at_once(&self, id: &str) -> Option<Guard<'_>> {
        let (making, id) = (self, id.to_owned());
        let is_free = self.ids().insert(id.clone());
        // Not `then_some`: a guard that is dropped ends what it stands for.
        is_free.then(|| Guard { making, id })
    }

    fn ids(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_late(id: &str, patience: Duration) -> Error {
    CoreError::Timeout {
        operation: format!("waiting for another call about {id}"),
        seconds: patience.as_secs_f32(),
    }
    .into()
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.making.ids().remove(&self.id);
        self.making.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::thread;

    use super::*;

    #[test]
    fn two_calls_about_one_thing_wait_for_each_other_and_not_for_ever() {
        let making = &Making::default();
        let soon = || Deadline::after(Duration::from_millis(10));
        let guard = making.begin("e1", soon()).unwrap();
        assert!(making.begin_at_once("e1").is_none());
        assert!(making.begin("e2", soon()).is_ok());
        let refused = making.begin("e1", soon()).err().unwrap().to_string();
        assert!(refused.contains("another call about e1"), "{refused}");
        thread::scope(|scope| {
            let far = Deadline::after(Duration::from_secs(60));
            let waiter = scope.spawn(move || making.begin("e1", far).is_ok());
            drop(guard);
            assert!(waiter.join().unwrap());
        });
        assert!(making.begin_at_once("e1").is_some());
    }

    #[test]
    fn waiting_ends_when_it_makes_no_sense_any_more() {
        let making = Making::default();
        let far = || Deadline::after(Duration::from_secs(60));
        let guard = making.begin("n1", far());
        let looks = Cell::new(3);
        let makes_sense = || {
            looks.set(looks.get() - 1);
            Ok(looks.get() > 0)
        };
        assert!(
            making
                .begin_while("n1", far(), makes_sense)
                .unwrap()
                .is_none()
        );
        drop(guard);
        assert!(
            making
                .begin_while("n1", far(), || Ok(true))
                .unwrap()
                .is_some()
        );
    }
}
