//! Numbers that objects have for themselves.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The smallest free number is handed out first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IdPool {
    /// Every number below is used, or not of the pool.
    cursor: u64,
    used: BTreeSet<u64>,
}

impl IdPool {
    /// Numbers from `first` on.
    pub fn from(first: u64) -> Self {
        Self {
            cursor: first,
            used: BTreeSet::new(),
        }
    }

    /// A number that nobody has.
    pub fn take(&mut self) -> u64 {
        while !self.used.insert(self.cursor) {
            self.cursor += 1;
        }
        self.cursor += 1;
        self.cursor - 1
    }

    /// Takes a number back; nothing happens when nobody has it.
    pub fn free(&mut self, number: u64) {
        if self.used.remove(&number) {
            self.cursor = self.cursor.min(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_free_number_is_next() {
        let mut pool = IdPool::from(5);
        assert_eq!([pool.take(), pool.take(), pool.take()], [5, 6, 7]);
        pool.free(6);
        pool.free(99);
        assert_eq!([pool.take(), pool.take()], [6, 8]);
    }
}
