//! A keyed lock: per-object locks that serialise calls on one network, endpoint or pool.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contrail_core::{Deadline, Error as CoreError};

use crate::error::{Error, Result};

/// How often [`KeyedLock::lock_while`] checks its condition.
const INTERVAL: Duration = Duration::from_millis(20);

/// The keys that are locked.
#[derive(Default)]
pub(crate) struct KeyedLock {
    keys: Mutex<BTreeSet<String>>,
    unlocked: Condvar,
}

/// A key is locked as long as this value lives.
pub(crate) struct Guard<'a> {
    lock: &'a KeyedLock,
    key: String,
}

impl KeyedLock {
    /// Waits until the key is free, and locks it.
    ///
    /// # Errors
    /// If the key is not free before the deadline.
    pub(crate) fn lock(&self, key: &str, end: Deadline) -> Result<Guard<'_>> {
        let patience = end.remaining();
        let waited = self
            .unlocked
            .wait_timeout_while(self.keys(), patience, |keys| keys.contains(key));
        // The set is consistent at any time.
        let (mut keys, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let key = key.to_owned();
        match keys.insert(key.clone()) {
            true => Ok(Guard { lock: self, key }),
            false => Err(timeout(&key, patience)),
        }
    }

    /// Waits for the key as long as `condition` holds; `None` if it no longer does. For a caller that holds
    /// another key, for which the holder of this one may be waiting.
    ///
    /// # Errors
    /// If the key is not free before the deadline.
    pub(crate) fn lock_while(
        &self,
        key: &str,
        end: Deadline,
        condition: impl Fn() -> Result<bool>,
    ) -> Result<Option<Guard<'_>>> {
        let patience = end.remaining();
        while condition()? {
            if let Ok(guard) = self.lock(key, end.at_most(INTERVAL)) {
                return Ok(Some(guard));
            }
            if end.has_passed() {
                return Err(timeout(key, patience));
            }
        }
        Ok(None)
    }

    /// Locks the key if it is free.
    pub(crate) fn try_lock(&self, key: &str) -> Option<Guard<'_>> {
        let (lock, key) = (self, key.to_owned());
        let is_free = self.keys().insert(key.clone());
        // Not `then_some`: dropping a guard unlocks its key.
        is_free.then(|| Guard { lock, key })
    }

    fn keys(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn timeout(key: &str, patience: Duration) -> Error {
    CoreError::Timeout {
        operation: format!("waiting for another call about {key}"),
        seconds: patience.as_secs_f32(),
    }
    .into()
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.lock.keys().remove(&self.key);
        self.lock.unlocked.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::thread;

    use super::*;

    #[test]
    fn a_key_is_locked_once_and_waiting_for_it_has_a_deadline() {
        let locks = &KeyedLock::default();
        let soon = || Deadline::after(Duration::from_millis(10));
        let guard = locks.lock("e1", soon()).unwrap();
        assert!(locks.try_lock("e1").is_none());
        assert!(locks.lock("e2", soon()).is_ok());
        let refused = locks.lock("e1", soon()).err().unwrap().to_string();
        assert!(refused.contains("another call about e1"), "{refused}");
        thread::scope(|scope| {
            let far = Deadline::after(Duration::from_secs(60));
            let waiter = scope.spawn(move || locks.lock("e1", far).is_ok());
            drop(guard);
            assert!(waiter.join().unwrap());
        });
        assert!(locks.try_lock("e1").is_some());
    }

    #[test]
    fn waiting_ends_when_the_condition_no_longer_holds() {
        let locks = KeyedLock::default();
        let far = || Deadline::after(Duration::from_secs(60));
        let guard = locks.lock("n1", far());
        let checks = Cell::new(3);
        let condition = || {
            checks.set(checks.get() - 1);
            Ok(checks.get() > 0)
        };
        let waited = locks.lock_while("n1", far(), condition);
        assert!(waited.unwrap().is_none());
        drop(guard);
        let waited = locks.lock_while("n1", far(), || Ok(true));
        assert!(waited.unwrap().is_some());
    }
}
