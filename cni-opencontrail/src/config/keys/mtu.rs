//! The key `mtu`.

use contrail_core::values::Mtu;

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
        number => match number.map(Mtu::try_from) {
            Some(Ok(mtu)) => Ok(Some(mtu.bytes())),
            Some(Err(_)) | None => Err(given.refused(Mtu::EXPECTED)),
        },
    }
}
