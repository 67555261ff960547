//! What stands behind the socket.

use crate::error::Result;
use crate::proto::{Call, Reply};

/// Carries out the engine's calls.
pub trait Plugin: Send + Sync + 'static {
    /// Carries out one call. May block, except for [constant](Call::is_constant) calls; runs beside
    /// other calls; may panic, which costs this call only.
    fn answer(&self, call: Call) -> Result<Reply>;
}
