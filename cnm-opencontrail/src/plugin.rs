//! The handler behind the socket.

use crate::error::Result;
use crate::proto::{Call, Reply};

/// Carries out the engine's calls.
pub trait Plugin: Send + Sync + 'static {
    /// Carries out one call. It may block, except for [constant](Call::is_constant) calls. Calls run
    /// concurrently; a panic fails only the call that it happens in.
    fn answer(&self, call: Call) -> Result<Reply>;
}
