//! What makes a Rust type a type of object of the configuration API.

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::errors::Refusal;
use super::meta::Meta;
use super::object_type::ObjectType;
use crate::error::{Error, Result};
use crate::values::FqName;

/// A type of object.
///
/// Implementations name the fields that this project uses and keep all others beside them, so that
/// they survive being read and written again.
pub trait Resource: Serialize + DeserializeOwned {
    /// The type as the API spells it: `virtual-network`. Its collection is this and an `s`.
    const TYPE: &'static str;

    /// The type of the parent; `None` for objects of the configuration root.
    const PARENT: Option<&'static str>;

    /// Whether a creation may be sent again while another one with the same id may still be in
    /// progress: the API then creates one object and refuses the other.
    const MAY_OVERLAP: bool = true;

    /// The part that all types share.
    fn meta(&self) -> &Meta;

    /// The part that all types share, mutable.
    fn meta_mut(&mut self) -> &mut Meta;

    /// The object's id: the one that the API gave it, or that it is to use. A new object without one
    /// gets it from the API.
    fn uuid(&self) -> Option<Uuid> {
        self.meta().uuid
    }

    /// The id of an object that was read from the API.
    ///
    /// # Errors
    /// [`Error::Missing`] that names the object if it has none: it was not read, or the answer was
    /// incomplete.
    ///
    /// ```
    /// use contrail_core::api::{Project, Resource};
    ///
    /// let project = Project::new("default-domain:admin".parse()?);
    /// let error = project.id().unwrap_err();
    /// assert!(error.to_string().starts_with("id of project default-domain:admin is missing"));
    /// # Ok::<(), contrail_core::Error>(())
    /// ```
    fn id(&self) -> Result<Uuid> {
        self.uuid().ok_or_else(|| no_id(Self::TYPE, self.fq_name()))
    }

    /// The names of this type and of its parent.
    fn object_type() -> ObjectType {
        match Self::PARENT {
            Some(parent) => ObjectType::new(Self::TYPE).child_of(parent),
            None => ObjectType::new(Self::TYPE),
        }
    }

    /// The object's name.
    fn fq_name(&self) -> &FqName {
        &self.meta().fq_name
    }

    /// A more precise error for a refused creation of this object, if its type has one.
    fn explain(&self, _refusal: &Refusal) -> Option<Error> {
        None
    }
}

/// The error of an object that should have an id.
pub(super) fn no_id(kind: &str, name: &FqName) -> Error {
    let hint = "only an object that was read from the configuration API is sure to have one";
    Error::missing(format!("id of {kind} {name}"), hint)
}

/// Makes a Rust type a [`Resource`](crate::api::Resource): a type of object that
/// [`Client`](crate::api::Client) reads and writes. The type has a field `meta` of the type
/// [`Meta`](crate::api::Meta), and should keep all other fields, so that they survive being read and
/// written again.
///
/// The name is the API's, in the singular; the parent is left out for objects of the configuration
/// root. Overridden items of the trait can follow in braces.
///
/// ```
/// use contrail_core::api::{Client, ListQuery, Meta, Ref, Resource, Rest};
/// use serde::{Deserialize, Serialize};
///
/// /// A router between virtual networks: a type that this crate does not have.
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// struct LogicalRouter {
///     #[serde(flatten)]
///     meta: Meta,
///     #[serde(default, skip_serializing_if = "Vec::is_empty")]
///     virtual_network_refs: Vec<Ref>,
///     #[serde(flatten)]
///     rest: Rest,
/// }
///
/// contrail_core::resource!(LogicalRouter, "logical-router", parent "project");
///
/// fn routers_of(client: &Client, project: &str) -> contrail_core::Result<Vec<LogicalRouter>> {
///     let query = ListQuery::children_of("project", project.parse()?).detail();
///     client.list(&query)
/// }
///
/// # use contrail_core::{http::Response, testing::{FakeTransport, client_of}};
/// # let body = r#"{"logical-routers": [{"logical-router": {"fq_name": ["d", "p", "r1"],
/// #     "virtual_network_refs": [{"to": ["d", "p", "n1"]}], "vxlan_network_identifier": "5"}}]}"#;
/// # let transport = FakeTransport::answers([Ok(Response::new(200, body))]);
/// # let client = client_of(transport.clone());
/// let routers = routers_of(&client, "default-domain:admin")?;
/// assert_eq!(routers[0].fq_name().name(), "r1");
/// assert!(routers[0].virtual_network_refs[0].is_to(&"d:p:n1".parse()?));
/// assert_eq!(routers[0].rest["vxlan_network_identifier"], "5");
/// # assert_eq!(transport.lines(), ["GET http://api:8082/logical-routers\
/// # ?parent_fq_name_str=default-domain:admin&parent_type=project&detail=true"]);
/// # Ok::<(), contrail_core::Error>(())
/// ```
#[macro_export]
macro_rules! resource {
    ($type:ty, $name:literal $(, parent $parent:literal)? $(, { $($extra:item)* })?) => {
        impl $crate::api::Resource for $type {
            const TYPE: &'static str = $name;
            const PARENT: ::core::option::Option<&'static str> =
                $crate::resource!(@parent $($parent)?);

            fn meta(&self) -> &$crate::api::Meta {
                &self.meta
            }

            fn meta_mut(&mut self) -> &mut $crate::api::Meta {
                &mut self.meta
            }

            $($($extra)*)?
        }
    };
    (@parent) => {
        ::core::option::Option::None
    };
    (@parent $parent:literal) => {
        ::core::option::Option::Some($parent)
    };
}
