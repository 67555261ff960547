//! The fields that all objects have.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::lenient::null_as_default;
use super::pairs::KeyValuePairs;
use crate::values::FqName;

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
    /// The common part of a new object of the configuration root.
    pub fn new(fq_name: FqName) -> Self {
        Self {
            uuid: None,
            fq_name,
            parent_type: None,
            parent_uuid: None,
            display_name: None,
            annotations: KeyValuePairs::default(),
        }
    }

    /// The common part of a new child of an object of this type.
    ///
    /// ```
    /// use contrail_core::api::Meta;
    ///
    /// let meta = Meta::child_of("project", "default-domain:admin:net1".parse()?);
    /// assert_eq!(meta.parent_type.as_deref(), Some("project"));
    /// assert_eq!(meta.uuid, None, "the API chooses the id");
    /// # Ok::<(), contrail_core::Error>(())
    /// ```
    pub fn child_of(parent_type: &str, fq_name: FqName) -> Self {
        Self {
            parent_type: Some(parent_type.to_owned()),
            ..Self::new(fq_name)
        }
    }

    /// The same common part with an id that the API is to use.
    pub fn with_id(self, uuid: Uuid) -> Self {
        Self {
            uuid: Some(uuid),
            ..self
        }
    }
}

/// The fields of an object that have no Rust name here.
pub type Rest = Map<String, Value>;
