//! What several hosts may do at once with one name, and what the API needs a moment for.

use std::thread;
use std::time::Duration;

use super::Client;
use crate::error::{Error, Result};
use crate::values::Deadline;

/// How long to wait before the API is asked again for what is about to change. It tells of no event when a
/// name becomes free: that was 27 to 103 ms after the answer to the deletion in the measured servers.
const PAUSE: Duration = Duration::from_millis(20);

impl Client {
    /// Repeats `look` with a short pause until it has a value, or the time of this client is over.
    ///
    /// # Errors
    /// The first error of `look`; [`Error::Timeout`] that names `operation`.
    pub fn settle<T, E: From<Error>>(
        &self,
        operation: impl Fn() -> String,
        mut look: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<T, E> {
        let limit = self.shared.request_timeout;
        let end = self.deadline.unwrap_or_else(|| Deadline::after(limit));
        let seconds = end.remaining().as_secs_f32();
        loop {
            if let Some(value) = look()? {
                return Ok(value);
            }
            if end.remaining() <= PAUSE {
                let operation = operation();
                return Err(Error::Timeout { operation, seconds }.into());
            }
            thread::sleep(PAUSE);
        }
    }
}
