//! References between objects.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::resource::Resource;
use crate::values::FqName;

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

    /// A reference to an object at hand, with its id if it has one.
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
}
