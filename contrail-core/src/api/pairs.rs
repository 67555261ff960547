//! Key-value pairs: annotations and bindings.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::lenient::null_as_default;

/// Key-value pairs as the API writes them: `{"key_value_pair": [{"key": …, "value": …}]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyValuePairs(pub BTreeMap<String, String>);

impl KeyValuePairs {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for KeyValuePairs {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter().map(|(k, v)| (k.into(), v.into()));
        Self(pairs.collect())
    }
}

#[derive(Serialize, Deserialize)]
struct Pair {
    #[serde(default, deserialize_with = "null_as_default")]
    key: String,
    #[serde(default, deserialize_with = "null_as_default")]
    value: String,
}

#[derive(Serialize, Deserialize)]
struct Pairs {
    #[serde(default, deserialize_with = "null_as_default")]
    key_value_pair: Vec<Pair>,
}

impl Serialize for KeyValuePairs {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pair = |(key, value): (&String, &String)| Pair {
            key: key.clone(),
            value: value.clone(),
        };
        Pairs {
            key_value_pair: self.0.iter().map(pair).collect(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for KeyValuePairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = Pairs::deserialize(deserializer)?.key_value_pair;
        Ok(pairs
            .into_iter()
            .map(|pair| (pair.key, pair.value))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_read_null_and_absent_alike() {
        for text in [
            "{}",
            r#"{"key_value_pair":null}"#,
            r#"{"key_value_pair":[]}"#,
        ] {
            let pairs: KeyValuePairs = serde_json::from_str(text).unwrap();
            assert!(pairs.is_empty(), "{text}");
        }
        let pairs: KeyValuePairs = [("owner", "cni"), ("host", "node1")].into_iter().collect();
        let text = serde_json::to_string(&pairs).unwrap();
        assert_eq!(serde_json::from_str::<KeyValuePairs>(&text).unwrap(), pairs);
        assert_eq!(pairs.get("host"), Some("node1"));
    }
}
