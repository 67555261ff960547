//! What a VM interface was made for.

use std::fmt;

use uuid::Uuid;

use super::mark::{CONTAINER, IFNAME};
use crate::api::Meta;
use crate::values::identity;

/// What a VM interface was made for. Its id follows from it and from the host's name.
///
/// ```
/// use contrail_core::ownership::Holder;
/// use contrail_core::values::identity;
///
/// let holder = Holder::Container { id: "4711".into(), ifname: "eth0".into() };
/// assert_eq!(holder.interface("node1"), identity::interface("node1", "4711", "eth0"));
/// assert_eq!(holder.to_string(), "container 4711, interface eth0");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// An interface of a container that is attached as a whole.
    Container {
        /// The container's id, as its runtime calls it.
        id: String,
        /// The interface's name in the container.
        ifname: String,
    },
    /// An endpoint, which its runtime moves into a container and names there.
    Endpoint {
        /// The endpoint's id, as its runtime calls it.
        id: String,
    },
}

impl Holder {
    /// What the mark of an object says. An endpoint's mark has an empty interface name.
    pub fn of(meta: &Meta) -> Option<Self> {
        let get = |key| meta.annotations.get(key);
        let id = get(CONTAINER)?.to_owned();
        Some(match get(IFNAME)? {
            "" => Self::Endpoint { id },
            ifname => Self::Container {
                id,
                ifname: ifname.to_owned(),
            },
        })
    }

    /// The annotations of its mark.
    pub fn mark(&self) -> [(&'static str, &str); 2] {
        let (id, ifname) = self.parts();
        [(CONTAINER, id), (IFNAME, ifname)]
    }

    /// The id that the container's or the endpoint's runtime gave it.
    pub fn id(&self) -> &str {
        self.parts().0
    }

    /// The id of its VM interface on a host.
    pub fn interface(&self, node: &str) -> Uuid {
        let (id, ifname) = self.parts();
        identity::interface(node, id, ifname)
    }

    /// The id of its virtual machine on a host, if it follows from the holder: the one of an
    /// endpoint follows from the container that it joins.
    pub fn machine(&self, node: &str) -> Option<Uuid> {
        match self {
            Self::Container { id, .. } => Some(identity::virtual_machine(node, id)),
            Self::Endpoint { .. } => None,
        }
    }

    /// The two texts of which marks and ids are made; they are stored and must not change.
    fn parts(&self) -> (&str, &str) {
        match self {
            Self::Container { id, ifname } => (id, ifname),
            Self::Endpoint { id } => (id, ""),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container { id, ifname } => write!(f, "container {id}, interface {ifname}"),
            Self::Endpoint { id } => write!(f, "endpoint {id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::FqName;

    #[test]
    fn a_mark_is_read_as_it_was_written_and_the_ids_follow() {
        let container = Holder::Container {
            id: "c1".into(),
            ifname: "eth0".into(),
        };
        let endpoint = Holder::Endpoint { id: "c1".into() };
        for holder in [&container, &endpoint] {
            let mut meta = Meta::new(FqName::new(["d", "p", "x"]));
            assert_eq!(Holder::of(&meta), None);
            meta.annotations = holder.mark().into_iter().collect();
            assert_eq!(Holder::of(&meta).as_ref(), Some(holder));
        }
        assert_eq!(endpoint.mark()[1], (IFNAME, ""));
        let interface = identity::interface("node1", "c1", "");
        assert_eq!(endpoint.interface("node1"), interface);
        assert_ne!(container.interface("node1"), interface);
        let machine = identity::virtual_machine("node1", "c1");
        assert_eq!(container.machine("node1"), Some(machine));
        assert_eq!(endpoint.machine("node1"), None);
    }
}
