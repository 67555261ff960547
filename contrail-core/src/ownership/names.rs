//! Names that people see: in the controller's user interface, in reports and in messages.
//!
//! Nothing is found by these names except what a person wrote: a member of a chain that is described
//! by the name of its container.

use std::fmt;

use super::mark::NODE;
use crate::api::Meta;

/// The length of the ids that command lines of container engines show, and of the shortest beginning of an id by
/// which a chain file may name a container.
pub const SHORT_ID: usize = 12;

/// An id as command lines of container engines show it.
pub fn short_id(id: &str) -> &str {
    id.get(..SHORT_ID).unwrap_or(id)
}

/// What people call a container.
///
/// ```
/// use contrail_core::ownership::ContainerName;
///
/// let pod = ContainerName::Named { namespace: Some("shop"), name: "web-1" };
/// assert_eq!(pod.to_string(), "shop/web-1");
/// let endpoint = ContainerName::Endpoint { engine: "podman", id: "0123456789abcdef" };
/// assert_eq!(endpoint.to_string(), "podman-0123456789ab");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerName<'a> {
    /// A pod of Kubernetes. Other runtimes give the name alone.
    Named {
        /// The namespace, if the runtime has any.
        namespace: Option<&'a str>,
        /// The name of the pod.
        name: &'a str,
    },
    /// A container whose runtime reports only its id.
    Id(&'a str),
    /// An endpoint of an engine that reports only the endpoint's id.
    Endpoint {
        /// The engine.
        engine: &'a str,
        /// The id of the endpoint, of which the first 12 characters are shown.
        id: &'a str,
    },
}

impl fmt::Display for ContainerName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named {
                namespace: Some(namespace),
                name,
            } => write!(f, "{namespace}/{name}"),
            Self::Named {
                namespace: None,
                name,
            } => f.write_str(name),
            Self::Id(id) => f.write_str(id),
            Self::Endpoint { engine, id } => {
                write!(f, "{engine}-{}", short_id(id))
            }
        }
    }
}

/// The name of a container's interface: `shop/web-1/eth0`.
pub fn interface_name(container: &str, ifname: &str) -> String {
    format!("{container}/{ifname}")
}

/// The container and the interface of an [`interface_name`].
pub fn split_interface_name(name: &str) -> Option<(&str, &str)> {
    name.rsplit_once('/')
}

/// A name with the host on which the object was made, if its mark has it: `web-1 on node1`.
pub fn with_host(name: &str, meta: &Meta) -> String {
    match meta.annotations.get(NODE) {
        Some(node) => format!("{name} on {node}"),
        None => name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::FqName;

    #[test]
    fn a_container_has_the_best_name_that_is_known() {
        let pod = |namespace| ContainerName::Named {
            namespace,
            name: "p",
        };
        assert_eq!(pod(Some("n")).to_string(), "n/p");
        assert_eq!(pod(None).to_string(), "p");
        assert_eq!(ContainerName::Id("c1").to_string(), "c1");
        let endpoint = |id| ContainerName::Endpoint { engine: "x", id };
        assert_eq!(endpoint("0123456789abcdef").to_string(), "x-0123456789ab");
        assert_eq!(endpoint("0123").to_string(), "x-0123");
    }

    #[test]
    fn the_name_of_an_interface_can_be_split_again() {
        let name = interface_name("shop/web-1", "eth0");
        assert_eq!(split_interface_name(&name), Some(("shop/web-1", "eth0")));
        assert_eq!(split_interface_name("web"), None);
    }

    #[test]
    fn the_host_is_shown_if_it_is_known() {
        let mut meta = Meta::new(FqName::new(["d", "p", "x"]));
        assert_eq!(with_host("web", &meta), "web");
        meta.annotations = [(NODE, "node1")].into_iter().collect();
        assert_eq!(with_host("web", &meta), "web on node1");
    }
}
