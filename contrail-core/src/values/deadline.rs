//! A point in time until which an operation may take, handed down to every step of it.

use std::time::{Duration, Instant};

/// The end of the time that an operation has. Copied into every step, so that all steps together
/// observe it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// A deadline that lies `time` from now.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// The two deadlines of an operation that rolls back what it did when it fails: the one of the work,
    /// and the one of the whole, which lies `time` from now. The last quarter is left for rolling back.
    ///
    /// ```
    /// use std::time::Duration;
    /// use contrail_core::Deadline;
    ///
    /// let (trying, whole) = Deadline::with_undo(Duration::from_secs(20));
    /// assert!(trying.remaining() <= Duration::from_secs(15));
    /// assert!(whole.remaining() > Duration::from_secs(15));
    /// ```
    pub fn with_undo(time: Duration) -> (Self, Self) {
        let now = Instant::now();
        (Self(now + time - time / 4), Self(now + time))
    }

    /// The time that is left; zero when it has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    pub fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }

    /// The earlier of this deadline and one that lies `time` from now: a step's own limit.
    pub fn at_most(self, time: Duration) -> Self {
        self.min(Self::after(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_never_gets_more_time_than_the_whole() {
        let whole = Deadline::after(Duration::from_millis(50));
        assert_eq!(whole.at_most(Duration::from_secs(60)), whole);
        assert!(whole.at_most(Duration::ZERO) < whole);
        assert!(Deadline::after(Duration::ZERO).has_passed());
    }
}
