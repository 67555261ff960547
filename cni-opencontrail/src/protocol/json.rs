//! Tolerant views of JSON: runtimes written in Go send `null` for nothing, capitalised keys, and
//! whole numbers as floating-point ones.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

/// A JSON object.
pub type Object = Map<String, Value>;

/// The value of a key: of exactly this key, else of one that differs in case only. `null` is
/// nothing.
pub fn lookup<'a>(object: &'a Object, key: &str) -> Option<&'a Value> {
    let exact = object.get(key);
    let value = exact.or_else(|| {
        let mut entries = object.iter();
        entries
            .find(|(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, value)| value)
    });
    value.filter(|value| !value.is_null())
}

/// A scalar as text; `None` for lists and objects.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(_) => Some(match integer(value) {
            Some(number) => number.to_string(),
            None => value.to_string(),
        }),
        _ => None,
    }
}

/// The most characters of a value in a message: an error ends in an event of Kubernetes, a line of a log.
const SHOWN: usize = 200;

/// The beginning of a text, no longer than a message needs.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text.to_string(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// A value in a message: a scalar as text, else JSON.
pub fn shown(value: &Value) -> String {
    shortened(&scalar(value).unwrap_or_else(|| value.to_string()))
}

/// A whole number, also when it is written as a text or as `1.5e3`.
pub fn integer(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let float = number.as_f64()?;
            // Above 2^53 a floating-point number no longer says which whole number was meant.
            let whole = float.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&float);
            whole.then_some(float as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// For serde: `null` is the default.
pub fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// For serde: an optional whole number in any of its spellings.
pub fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    let Some(value) = value else {
        return Ok(None);
    };
    let number = integer(&value).and_then(|number| u32::try_from(number).ok());
    number
        .map(Some)
        .ok_or_else(|| de::Error::custom(format!("{value} is not a whole number of 32 bits")))
}

/// For serde: a value that is not read.
pub fn ignored<'de, D: Deserializer<'de>, T: Default>(deserializer: D) -> Result<T, D::Error> {
    IgnoredAny::deserialize(deserializer)?;
    Ok(T::default())
}

/// For serde: an object with its keys in alphabetical order, at every level. The order of a [`Map`] depends
/// on what the program is built together with.
///
/// # Errors
/// Those of the serializer.
pub fn sorted<S: Serializer>(object: &Object, serializer: S) -> Result<S::Ok, S::Error> {
    let entries: BTreeMap<_, _> = object.iter().collect();
    serializer.collect_map(entries.into_iter().map(|(key, value)| (key, Sorted(value))))
}

struct Sorted<'a>(&'a Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(object) => sorted(object, serializer),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Sorted)),
            scalar => scalar.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_found_in_any_case_and_null_is_nothing() {
        let value = json!({"IPs": [1], "ips2": null, "mac": 1, "MAC": 2});
        let object = value.as_object().unwrap();
        assert_eq!(lookup(object, "ips"), Some(&json!([1])));
        assert_eq!(lookup(object, "ips2"), None);
        assert_eq!(lookup(object, "mac"), Some(&json!(1)));
        assert_eq!(lookup(object, "x"), None);
    }

    #[test]
    fn a_long_value_is_shown_by_its_beginning() {
        for (value, expected) in [
            (json!("short"), "short".to_string()),
            (json!([1, "a"]), "[1,\"a\"]".to_string()),
            (json!("é".repeat(200)), "é".repeat(200)),
            (json!("é".repeat(201)), "é".repeat(200) + "…"),
            (
                json!({"a": "x".repeat(9000)}),
                "{\"a\":\"".to_string() + &"x".repeat(194) + "…",
            ),
        ] {
            assert_eq!(shown(&value), expected);
        }
    }

    #[test]
    fn whole_numbers_are_understood_in_every_spelling() {
        for value in [json!(1500), json!(1.5e3), json!("1500"), json!(" 1500 ")] {
            assert_eq!(integer(&value), Some(1500), "{value}");
        }
        for value in [
            json!(1.5),
            json!(-1),
            json!(1e300),
            json!("x"),
            json!([1]),
            json!(true),
        ] {
            assert_eq!(integer(&value), None, "{value}");
        }
    }
}
