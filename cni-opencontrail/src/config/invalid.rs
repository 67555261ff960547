//! The error for a value of the configuration.

use contrail_core::error::Error;
use serde_json::Value;

use crate::protocol::error::CniError;
use crate::protocol::json::shown;

/// Refuses a value: `what` names it, `reason` says what is expected.
pub fn invalid(what: &str, value: &Value, reason: &str) -> CniError {
    Error::invalid(what, shown(value), reason).into()
}
