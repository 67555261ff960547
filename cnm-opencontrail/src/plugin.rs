//! The handler behind the socket.

use std::time::Duration;

use crate::error::Result;
use crate::proto::{Call, Reply};

/// How long one call may use the controller, besides attaching itself; and each part of the upkeep between
/// calls. Engines give managed plugins 30 s, users wait less.
pub(crate) const PATIENCE: Duration = Duration::from_secs(9);

/// Carries out the engine's calls.
pub trait Plugin: Send + Sync + 'static {
    /// Carries out one call. It may block, except for [constant](Call::is_constant) calls. Calls run
    /// concurrently; a panic fails only the call that it happens in.
    fn answer(&self, call: Call) -> Result<Reply>;
}
