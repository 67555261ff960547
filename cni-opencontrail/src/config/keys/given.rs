//! The value of a key, with what its parser has to know.

use contrail_core::FqName;
use serde_json::Value;

use crate::config::invalid::invalid;
use crate::protocol::error::CniError;

/// The value of a key of a network.
pub struct Given<'a> {
    /// The key.
    pub key: &'static str,
    /// Its value; never `null`.
    pub value: &'a Value,
    /// Which network it belongs to, for messages: ` of network net1`, or nothing if there is only one.
    pub place: &'a str,
    /// The project of the network.
    pub project: &'a FqName,
}

impl Given<'_> {
    /// The error for a value that cannot be used.
    pub fn refused(&self, reason: &str) -> CniError {
        invalid(&format!("{}{}", self.key, self.place), self.value, reason)
    }
}
