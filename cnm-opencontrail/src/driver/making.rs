//! The networks and endpoints that are being made or taken away at this moment: tidying up must not take
//! them for what an interrupted call has left.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Their ids.
#[derive(Default)]
pub(super) struct Making(Mutex<BTreeSet<String>>);

/// Something is being made as long as this value lives.
pub(super) struct Guard<'a> {
    making: &'a Making,
    id: String,
}

impl Making {
    pub(super) fn begin(&self, id: &str) -> Guard<'_> {
        let id = id.to_owned();
        self.ids().insert(id.clone());
        Guard { making: self, id }
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.ids().contains(id)
    }

    fn ids(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // A set is whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.making.ids().remove(&self.id);
    }
}
