//! The error for a value of the configuration.

use contrail_core::error::Error;
use serde_json::Value;

use crate::protocol::error::CniError;
use crate::protocol::json::scalar;

/// Refuses a value: `what` names it, `reason` says what is expected.
pub fn invalid(what: &str, value: &Value, reason: &str) -> CniError {
    let shown = scalar(value).unwrap_or_else(|| value.to_string());
    Error::invalid(what, shown, reason).into()
}
