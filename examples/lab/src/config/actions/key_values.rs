//! `/useragent-kv`: strings that clients store.

use serde_json::{Map, Value, json};

use crate::config::call::{Call, Reply};
use crate::config::error::{ApiError, Result};
use crate::config::python_repr::str_of;
use crate::config::state::State;

/// Stores, retrieves or deletes.
///
/// # Errors
/// 400 for an incomplete request; 404 for a missing key and for an unknown operation.
pub fn key_values(state: &mut State, call: &Call<'_>) -> Result<Reply> {
    let body = call.json_object()?;
    let field = |name: &str| {
        let text = format!("Error: Key/value store API needs '{name}' parameter");
        body.get(name).ok_or_else(|| ApiError::bad_request(text))
    };
    let operation = str_of(field("operation")?);
    let key = field("key")?;
    match operation.as_str() {
        "STORE" => {
            let value = body.get("value").map(str_of).unwrap_or_default();
            state.key_values.insert(str_of(key), value);
        }
        "DELETE" => {
            state.key_values.remove(&str_of(key));
        }
        "RETRIEVE" => return retrieve(state, key),
        _ => return Err(ApiError::new(404, format!("Invalid Operation {operation}"))),
    }
    state.touch();
    Ok(Reply::Empty)
}

/// One value, the values of those keys of a list that exist, or everything for null.
fn retrieve(state: &State, key: &Value) -> Result<Reply> {
    let value = match key {
        Value::Null => {
            let pair = |(key, value): (&String, &String)| json!({"key": key, "value": value});
            state.key_values.iter().map(pair).collect()
        }
        Value::Array(keys) => {
            let found = keys
                .iter()
                .filter_map(|key| state.key_values.get(&str_of(key)));
            found.map(|value| json!(value)).collect()
        }
        key => {
            let key = str_of(key);
            let missing = || ApiError::new(404, format!("Unknown User-Agent key {key}"));
            json!(state.key_values.get(&key).ok_or_else(missing)?)
        }
    };
    Ok(Reply::Json(Value::Object(Map::from_iter([(
        "value".into(),
        value,
    )]))))
}
