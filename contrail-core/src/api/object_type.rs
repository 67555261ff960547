//! The name of a type of object.

/// A type of object as the configuration API spells it, for [objects without a Rust
/// type](super::DynamicObject).
///
/// ```
/// use contrail_core::api::ObjectType;
///
/// const LOGICAL_ROUTER: ObjectType = ObjectType::new("logical-router").child_of("project");
/// assert_eq!(LOGICAL_ROUTER.name(), "logical-router");
/// assert_eq!(LOGICAL_ROUTER.parent(), Some("project"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObjectType {
    name: &'static str,
    parent: Option<&'static str>,
}

impl ObjectType {
    /// A type of objects of the configuration root. Its collection has this name and an `s`.
    ///
    /// Names live as long as the program, because errors carry them. One that is only known at run
    /// time can be [leaked](String::leak): there are few types.
    pub const fn new(name: &'static str) -> Self {
        Self { name, parent: None }
    }

    /// The same type for the children of objects of another type.
    pub const fn child_of(self, parent: &'static str) -> Self {
        Self {
            parent: Some(parent),
            ..self
        }
    }

    /// The name: `virtual-network`.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The type of the parents: `project`. `None` for objects of the configuration root.
    pub const fn parent(self) -> Option<&'static str> {
        self.parent
    }
}
