//! The key `network`: a virtual network with another name, or of another project.

use contrail_core::FqName;
use serde_json::Value;

use super::given::Given;
use crate::config::invalid::invalid;
use crate::protocol::error::CniError;

/// The name: `"default-domain:other:net"`, the same as a list, or the name in the project alone.
/// `None` for an empty text.
///
/// # Errors
///
/// Code 7 for anything else.
pub fn parse(given: &Given) -> Result<Option<FqName>, CniError> {
    let text = match given.value {
        Value::String(text) if text.is_empty() => return Ok(None),
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let parts: Option<Vec<&str>> = parts.iter().map(Value::as_str).collect();
            parts.map(|parts| parts.join(":"))
        }
        _ => None,
    };
    let name = text.and_then(|text| FqName::in_project(&text, given.project).ok());
    match name {
        Some(name) => Ok(Some(name)),
        None => Err(invalid(
            &format!("key network{}", given.place),
            given.value,
            "domain:project:network or the name of a network of the project is expected",
        )),
    }
}
