//! The key `mtu`.

use super::given::Given;
use crate::protocol::error::CniError;
use crate::protocol::json::integer;

/// The MTU in bytes; 0 means unset, as programs in Go write it.
///
/// # Errors
///
/// Code 7 for what cannot be the MTU of an interface.
pub fn parse(given: &Given) -> Result<Option<u32>, CniError> {
    match integer(given.value) {
        Some(0) => Ok(None),
        Some(mtu @ 68..=65_535) => Ok(Some(mtu as u32)),
        _ => Err(given.refused("a number of bytes from 68 to 65535 is expected")),
    }
}
