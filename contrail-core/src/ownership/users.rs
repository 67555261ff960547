//! The users of a virtual network apart from its interfaces: an annotation for each.
//!
//! A user's annotation is named `container-plugin.KIND.NAME`, a mark's `container-plugin.WORD`. So every
//! program keeps a network that has users of a kind that it does not know.

use crate::api::Meta;

/// What all annotations of this project start with.
const PREFIX: &str = "container-plugin.";

/// A kind of users that a front end registers, such as the networks of a container engine. It has no dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserKind(pub &'static str);

impl UserKind {
    /// The name of the annotation of the user with this name.
    ///
    /// ```
    /// use contrail_core::ownership::UserKind;
    ///
    /// let key = UserKind("docker-network").annotation("node1.4711");
    /// assert_eq!(key, "container-plugin.docker-network.node1.4711");
    /// ```
    pub fn annotation(self, name: &str) -> String {
        format!("{PREFIX}{}.{name}", self.0)
    }
}

/// A user of a virtual network, as its annotation names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkUser<'a> {
    /// The kind of user.
    pub kind: &'a str,
    /// Its name: unique among all hosts.
    pub name: &'a str,
    /// What the user has stored with it.
    pub value: &'a str,
}

/// The users of a virtual network of every host and every kind.
///
/// ```
/// use contrail_core::api::Meta;
/// use contrail_core::ownership::{UserKind, users};
///
/// const KIND: UserKind = UserKind("my-kind");
/// let mut network = Meta::new("default-domain:admin:net1".parse()?);
/// let key = KIND.annotation("node1.4711");
/// network.annotations = [(key.as_str(), "value")].into_iter().collect();
/// let user = users(&network).next().unwrap();
/// assert_eq!((user.kind, user.name, user.value), ("my-kind", "node1.4711", "value"));
/// # Ok::<(), contrail_core::Error>(())
/// ```
pub fn users(meta: &Meta) -> impl Iterator<Item = NetworkUser<'_>> {
    meta.annotations.0.iter().filter_map(|(key, value)| {
        let (kind, name) = key.strip_prefix(PREFIX)?.split_once('.')?;
        Some(NetworkUser { kind, name, value })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::FqName;

    #[test]
    fn users_of_unknown_kinds_are_users_and_marks_are_not() {
        let mut meta = Meta::new(FqName::new(["d", "p", "n"]));
        let key = UserKind("docker-network").annotation("a.b.4711");
        let pairs = [
            (key.as_str(), "options"),
            ("container-plugin.owner", "cni-opencontrail"),
            ("container-plugin.node", "a.b"),
            ("container-plugin.new-kind.1", ""),
            ("other.docker-network.1", ""),
        ];
        meta.annotations = pairs.into_iter().collect();
        let found: Vec<_> = users(&meta).collect();
        let docker = NetworkUser {
            kind: "docker-network",
            name: "a.b.4711",
            value: "options",
        };
        let unknown = NetworkUser {
            kind: "new-kind",
            name: "1",
            value: "",
        };
        assert_eq!(found.len(), 2);
        assert!(
            found.contains(&docker) && found.contains(&unknown),
            "{found:?}"
        );
    }
}
