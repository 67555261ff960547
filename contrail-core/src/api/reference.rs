//! References between objects.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::lenient::odd_as_none;
use super::resource::Resource;
use crate::values::FqName;

/// What servers write as the name of an object that no longer exists.
const VANISHED: [&str; 1] = ["ERROR"];

/// A reference to another object.
///
/// `A` is the type of the link's data. Most links have none: the API writes `null` there, or what one
/// of its own services wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ref<A = Value> {
    /// The name of the other object: needed at creation, where it also wins over the id. `None` if the
    /// API did not tell it, for example because the other object no longer exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "name")]
    pub to: Option<FqName>,
    /// The id of the other object: it wins in an update. `None` if the API did not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "odd_as_none")]
    pub uuid: Option<Uuid>,
    /// The data of the link.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub attr: Option<A>,
}

/// Which object a reference leads to, as far as the API told; for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Referent {
    /// The name.
    pub name: Option<FqName>,
    /// The id.
    pub uuid: Option<Uuid>,
}

impl<A> Ref<A> {
    /// A reference by name and id: what the API understands in every version and every request.
    pub fn new(to: FqName, uuid: Uuid) -> Self {
        Self {
            to: Some(to),
            uuid: Some(uuid),
            attr: None,
        }
    }

    /// A reference by name alone, which is enough at creation.
    pub fn named(to: FqName) -> Self {
        Self {
            to: Some(to),
            uuid: None,
            attr: None,
        }
    }

    /// A reference to an object at hand, with its id if it has one.
    pub fn object(object: &impl Resource) -> Self {
        Self {
            to: Some(object.fq_name().clone()),
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

    /// The name of the other object, if it is known.
    pub fn name(&self) -> Option<&FqName> {
        self.to.as_ref()
    }

    /// Whether the other object is known to have this name.
    pub fn is_to(&self, name: &FqName) -> bool {
        self.name() == Some(name)
    }

    /// Whether the other object is known to be a child of the one of this name.
    pub fn is_below(&self, parent: &FqName) -> bool {
        self.name().is_some_and(|name| name.is_child_of(parent))
    }

    /// The other object, for people.
    pub fn referent(&self) -> Referent {
        Referent {
            name: self.to.clone(),
            uuid: self.uuid,
        }
    }
}

impl fmt::Display for Referent {
    /// The name, or else the id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.uuid) {
            (Some(name), _) => name.fmt(f),
            (None, Some(id)) => id.fmt(f),
            (None, None) => f.write_str("of unknown name and id"),
        }
    }
}

fn none<A>() -> Option<A> {
    None
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<FqName>, D::Error> {
    let name: Option<FqName> = odd_as_none(deserializer)?;
    Ok(name.filter(|name| name.parts() != VANISHED))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: Uuid = Uuid::from_u128(7);

    #[test]
    fn references_carry_name_and_id() {
        let reference: Ref = Ref::new(FqName::new(["d", "p", "n"]), ID);
        assert_eq!(
            serde_json::to_value(&reference).unwrap(),
            json!({"to": ["d", "p", "n"], "uuid": ID})
        );
        let by_name: Ref = Ref::named(FqName::new(["vm"]));
        assert_eq!(
            serde_json::to_value(&by_name).unwrap(),
            json!({"to": ["vm"]})
        );
    }

    #[test]
    fn what_a_server_does_not_tell_is_unknown_and_no_error() {
        let name = || Some(FqName::new(["d", "n"]));
        for (sent, name, uuid) in [
            (json!({"to": ["d", "n"], "uuid": ID}), name(), Some(ID)),
            (json!({"to": ["d", "n"]}), name(), None),
            (json!({"uuid": ID}), None, Some(ID)),
            (json!({"to": ["ERROR"], "uuid": ID}), None, Some(ID)),
            (json!({"to": [], "uuid": null}), None, None),
            (json!({"to": null, "uuid": ""}), None, None),
            (json!({"to": "d:n", "uuid": 7}), None, None),
            (json!({"to": [null, 1], "uuid": [ID]}), None, None),
            (json!({"to": {"a": 1}, "uuid": {}}), None, None),
            (json!({"href": "http://api/x"}), None, None),
        ] {
            let read: Ref = serde_json::from_value(sent.clone()).unwrap();
            assert_eq!((&read.to, read.uuid), (&name, uuid), "{sent}");
            let list: Vec<Ref> = serde_json::from_value(json!([sent, sent])).unwrap();
            assert_eq!(list, [read.clone(), read], "{sent}");
        }
    }

    #[test]
    fn a_reference_that_tells_no_name_leads_to_no_object_of_a_name() {
        let of = |value| serde_json::from_value::<Ref>(value).unwrap();
        let (parent, name) = (FqName::new(["d"]), FqName::new(["d", "n"]));
        let known = of(json!({"to": ["d", "n"], "uuid": ID}));
        assert!(known.is_to(&name) && known.is_below(&parent));
        assert!(!known.is_to(&parent) && !known.is_below(&name));
        for (unnamed, label) in [
            (json!({"uuid": ID}), ID.to_string()),
            (json!({}), "of unknown name and id".to_owned()),
        ] {
            let unnamed = of(unnamed);
            assert!(!unnamed.is_to(&name) && !unnamed.is_below(&parent));
            assert_eq!(unnamed.referent().to_string(), label);
        }
        assert_eq!(known.referent().to_string(), "d:n");
    }
}
