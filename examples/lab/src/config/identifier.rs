//! Ids, names and types as requests spell them.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::error::{ApiError, Result};
use super::schema::Kind;

/// The id that a path or a body spells; only the canonical form counts.
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(text).ok()?;
    let mut buffer = Uuid::encode_buffer();
    (uuid.hyphenated().encode_lower(&mut buffer) == text).then_some(uuid)
}

fn name_parts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(parts) => parts
            .iter()
            .map(|part| part.as_str().map(str::to_owned))
            .collect(),
        // A string is a sequence of its characters.
        Value::String(text) => Some(text.chars().map(String::from).collect()),
        _ => None,
    }
}

/// The name that a request gives, part by part.
///
/// # Errors
/// 500 when it is neither a list of strings nor a string.
pub fn fq_name(value: &Value) -> Result<Vec<String>> {
    name_parts(value).ok_or_else(ApiError::internal)
}

/// The type that a body names.
pub fn kind_of(body: &Map<String, Value>, field: &str) -> Result<Kind> {
    let name = body.get(field).unwrap_or(&Value::Null);
    let kind = name.as_str().and_then(Kind::find);
    kind.ok_or_else(|| ApiError::unknown_type(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_ids_are_ids() {
        assert!(parse_uuid("f0810049-beea-4d8e-b5f6-faca46e18314").is_some());
        assert!(parse_uuid("F0810049-BEEA-4D8E-B5F6-FACA46E18314").is_none());
        assert!(parse_uuid("f0810049beea4d8eb5f6faca46e18314").is_none());
    }
}
