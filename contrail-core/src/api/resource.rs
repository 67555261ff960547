//! What all objects of the configuration API have in common: names, ids, references, the envelope.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::errors::Refusal;
use crate::error::Error;
use crate::values::FqName;

/// A type of object.
///
/// Implementations name the fields that this project uses; whatever else an object has is kept
/// beside them, so that it survives being read and written again.
pub trait Resource: Serialize + DeserializeOwned {
    /// The type as the API spells it: `virtual-network`. Its collection is this and an `s`.
    const TYPE: &'static str;

    /// The type of the parent, or "" for an object of the configuration root.
    const PARENT: &'static str;

    /// Whether a creation may be sent again while the same one, with the same id, may still be on its
    /// way: the API then makes one object and refuses the other.
    const MAY_OVERLAP: bool = true;

    /// The part that all types share.
    fn meta(&self) -> &Meta;

    /// The part that all types share, to be changed.
    fn meta_mut(&mut self) -> &mut Meta;

    /// The object's id: the one that the API gave it, or that it shall have.
    fn uuid(&self) -> Option<Uuid> {
        self.meta().uuid
    }

    /// The id of an object that the API gave.
    ///
    /// # Errors
    /// [`Error::NoId`] if it gave none.
    fn id(&self) -> Result<Uuid, Error> {
        self.uuid().ok_or_else(|| Error::NoId {
            kind: Self::TYPE,
            name: self.fq_name().clone(),
        })
    }

    /// The object's name.
    fn fq_name(&self) -> &FqName {
        &self.meta().fq_name
    }

    /// A more precise error for a refused creation of this object, where its type has one.
    fn explain(&self, _refusal: &Refusal) -> Option<Error> {
        None
    }
}

/// The fields that every object has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// The id. Left out at creation, the API chooses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
    /// The name, from the outermost parent inwards.
    pub fq_name: FqName,
    /// The type of the parent. Without it the API makes some types without any parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_type: Option<String>,
    /// The id of the parent; only read.
    #[serde(default, skip_serializing)]
    pub parent_uuid: Option<Uuid>,
    /// The name for people; the API fills it with the last part of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Free key-value pairs.
    #[serde(default, skip_serializing_if = "KeyValuePairs::is_empty")]
    #[serde(deserialize_with = "null_as_default")]
    pub annotations: KeyValuePairs,
}

impl Meta {
    /// The common part of an object that shall be created, as a child of the given type of parent
    /// ("" for none).
    pub fn new(fq_name: FqName, parent_type: &str) -> Self {
        Self {
            uuid: None,
            fq_name,
            parent_type: (!parent_type.is_empty()).then(|| parent_type.to_owned()),
            parent_uuid: None,
            display_name: None,
            annotations: KeyValuePairs::default(),
        }
    }
}

/// The fields of an object that have no Rust name here.
pub type Rest = Map<String, Value>;

/// A reference to another object.
///
/// `A` is the data of the link, for the links that have some. Most have none: the API writes `null`
/// there, or what one of its own services put.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ref<A = Value> {
    /// The name of the other object: needed at creation, where it also wins over the id.
    #[serde(default = "no_name", skip_serializing_if = "is_no_name")]
    pub to: FqName,
    /// The id of the other object: it wins in an update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
    /// The data of the link.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub attr: Option<A>,
}

impl<A> Ref<A> {
    /// A reference by name and id: what the API understands in every version and every request.
    pub fn new(to: FqName, uuid: Uuid) -> Self {
        Self {
            to,
            uuid: Some(uuid),
            attr: None,
        }
    }

    /// A reference by name alone, which is enough at creation.
    pub fn named(to: FqName) -> Self {
        Self {
            to,
            uuid: None,
            attr: None,
        }
    }

    /// A reference to an object at hand, with its id where it has one.
    pub fn object(object: &impl Resource) -> Self {
        Self {
            to: object.fq_name().clone(),
            uuid: object.uuid(),
            attr: None,
        }
    }

    /// The same reference with data.
    pub fn with_attr(self, attr: A) -> Self {
        Self {
            attr: Some(attr),
            ..self
        }
    }
}

fn none<A>() -> Option<A> {
    None
}

fn no_name() -> FqName {
    FqName::new(Vec::<String>::new())
}

fn is_no_name(name: &FqName) -> bool {
    name.parts().is_empty()
}

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

/// Reads `null` like an absent field: the API writes either.
pub fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads `null` and `""` as none: services of the controller write either for "no address".
pub fn empty_as_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    match Option::<String>::deserialize(deserializer)?.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}

/// Lets a type of object be a [`Resource`] by its `meta` field.
macro_rules! resource {
    ($type:ty, $name:literal, parent $parent:literal $(, $extra:item)*) => {
        impl $crate::api::Resource for $type {
            const TYPE: &'static str = $name;
            const PARENT: &'static str = $parent;

            fn meta(&self) -> &$crate::api::Meta {
                &self.meta
            }

            fn meta_mut(&mut self) -> &mut $crate::api::Meta {
                &mut self.meta
            }

            $($extra)*
        }
    };
}
pub(super) use resource;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_carry_name_and_id() {
        let id = Uuid::from_u128(7);
        let reference: Ref = Ref::new(FqName::new(["d", "p", "n"]), id);
        assert_eq!(
            serde_json::to_value(&reference).unwrap(),
            serde_json::json!({"to": ["d", "p", "n"], "uuid": id})
        );
        let by_name: Ref = Ref::named(FqName::new(["vm"]));
        assert_eq!(
            serde_json::to_value(&by_name).unwrap(),
            serde_json::json!({"to": ["vm"]})
        );
    }

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
