//! Answers that are meant to do harm: to cost their reader memory or time, to break its parser, or to act on
//! the terminal where they are shown.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::http::Response;

/// What an answer does harm with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// A list of 60 MiB.
    Flood,
    /// A list of millions of small objects, in 30 MiB.
    Crowd,
    /// Objects that take far more memory than their text.
    Swell,
    /// A million lists in each other.
    Depth,
    /// Numbers that no type holds.
    Numbers,
    /// Each value is of another type.
    Types,
    /// Each text holds what acts on a terminal, in the place of a date, an id or a name.
    Texts,
    /// A refusal whose text acts on a terminal.
    Refusal,
    /// A redirect to the same server, which redirects again.
    Redirect,
    /// What is no text at all.
    Packed,
}

/// A date as Keystone might write it, with a character of two bytes, and what a terminal acts on.
const TEXT: &str = "2026-01-01T00:00:00+1é0\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}";

impl Harm {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Flood,
        Self::Crowd,
        Self::Swell,
        Self::Depth,
        Self::Numbers,
        Self::Types,
        Self::Texts,
        Self::Refusal,
        Self::Redirect,
        Self::Packed,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flood => "flood",
            Self::Crowd => "crowd",
            Self::Swell => "swell",
            Self::Depth => "depth",
            Self::Numbers => "numbers",
            Self::Types => "types",
            Self::Texts => "texts",
            Self::Refusal => "refusal",
            Self::Redirect => "redirect",
            Self::Packed => "packed",
        }
    }

    /// Replaces an answer by one that does harm. It says the same only in its outermost key.
    pub(crate) fn spoil(self, answer: &mut Response) {
        let document: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let key = document.as_ref().and_then(Value::as_object);
        let key = key.and_then(|object| object.keys().next().cloned());
        let key = key.unwrap_or_else(|| "virtual-networks".to_owned());
        match self {
            Self::Flood => answer.body = list(&key, r#"{"a":0}"#, 60 << 20),
            Self::Crowd => answer.body = list(&key, r#"{"a":0}"#, 30 << 20),
            Self::Swell => {
                let objects = list("a", r#"{"a":0}"#, 6 << 20);
                let start = format!(r#"{{"{key}":{{"fq_name":["d","p","n"],"z":"#);
                answer.body = [start.as_bytes(), &objects, b"}}"].concat();
            }
            Self::Depth => {
                let (open, close) = ("[".repeat(1_000_000), "]".repeat(1_000_000));
                answer.body = format!(r#"{{"{key}":{open}{close}}}"#).into_bytes();
            }
            Self::Numbers => {
                let digits = "9".repeat(100_000);
                let numbers = format!(r#"{{"{key}":[1e999999,-{digits},{digits}.{digits}]}}"#);
                answer.body = numbers.into_bytes();
            }
            Self::Types => answer.body = of_other_types(document).to_string().into_bytes(),
            Self::Texts => answer.body = with_texts(document).to_string().into_bytes(),
            Self::Refusal => *answer = Response::new(400, "text/html", TEXT),
            Self::Redirect => {
                *answer = Response::new(302, "text/html", "").with_header("Location", "/again");
            }
            Self::Packed => {
                answer.body = b"\x1f\x8b\x08\0\0\0\0\0".to_vec();
                answer
                    .headers
                    .push(("Content-Encoding".into(), "gzip".into()));
            }
        }
    }
}

/// A list of this item under a key, of about so many bytes.
fn list(key: &str, item: &str, bytes: usize) -> Vec<u8> {
    let items = format!("{item},").repeat(bytes / (item.len() + 1));
    let items = items.trim_end_matches(',');
    format!(r#"{{"{key}":[{items}]}}"#).into_bytes()
}

fn of_other_types(value: Option<Value>) -> Value {
    fn other(value: Value) -> Value {
        match value {
            Value::Null => json!([null]),
            Value::Bool(_) => json!("yes"),
            Value::Number(number) => json!(number.to_string()),
            Value::String(text) => json!({ text: 1 }),
            Value::Array(items) => items.into_iter().map(other).next().unwrap_or(json!(7)),
            Value::Object(object) => Value::Array(object.into_iter().map(|(_, v)| v).collect()),
        }
    }
    let Some(Value::Object(object)) = value else {
        return json!({"virtual-networks": 5});
    };
    let changed = object.into_iter().map(|(key, value)| (key, other(value)));
    Value::Object(changed.collect())
}

fn with_texts(value: Option<Value>) -> Value {
    fn changed(value: Value) -> Value {
        match value {
            Value::String(_) => json!(TEXT),
            Value::Array(items) => items.into_iter().map(changed).collect(),
            Value::Object(object) => {
                let object: Map<String, Value> = object
                    .into_iter()
                    .map(|(key, value)| (key, changed(value)))
                    .collect();
                Value::Object(object)
            }
            other => other,
        }
    }
    changed(value.unwrap_or_else(|| json!({"error": TEXT})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_replaced_and_keeps_its_outermost_key() {
        for harm in Harm::ALL {
            let body = json!({"virtual-network": {"fq_name": ["a"], "uuid": "x", "n": 1}});
            let sound = Response::json(200, &body);
            let mut spoiled = sound.clone();
            harm.spoil(&mut spoiled);
            assert_ne!(spoiled, sound, "{harm:?}");
            let keeps_key = !matches!(harm, Harm::Refusal | Harm::Redirect | Harm::Packed);
            let start = String::from_utf8_lossy(&spoiled.body[..spoiled.body.len().min(20)]);
            assert_eq!(
                start.contains("virtual-network"),
                keeps_key,
                "{harm:?}: {start}"
            );
        }
    }
}
