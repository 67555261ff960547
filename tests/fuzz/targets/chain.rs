//! The file that describes a service chain.

use contrail_core::service_chain::Description;

use super::{check_error, used};

/// A chain file.
pub fn chain(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    match Description::read(&text, "chain.json") {
        Ok(description) => used(format!("{description:?}")),
        Err(error) => check_error(&error),
    }
}
