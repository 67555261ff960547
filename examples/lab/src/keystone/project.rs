//! Projects, which Keystone v2.0 calls tenants.

use uuid::Uuid;

/// A project of Keystone, which the configuration API therefore has, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its name in `default-domain`.
    pub name: String,
    /// Its id; Keystone's without the dashes.
    pub id: Uuid,
}
