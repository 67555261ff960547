//! Ids that can be computed again from what a runtime says about a container.
//!
//! The ids of all objects follow from the host, the container and the interface that they are created
//! for: a retry, a delete after a crash and a garbage collection need no stored state.

use std::fmt;
use std::net::IpAddr;

use ring::digest;
use uuid::{Builder, Uuid};

use crate::values::{FqName, Invalid};

/// The name space of all ids of this project: UUIDv5 of `opencontrail.org` in the DNS name space.
/// It is part of what is stored in the controller and must never change.
const NAMESPACE: Uuid = Uuid::from_u128(0xa446_8a91_0e50_52ab_b460_339c_7463_b90a);

/// The two families of the Internet protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both families, in the order in which addresses are listed.
    pub const ALL: [Family; 2] = [Family::V4, Family::V6];

    /// The family of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() {
            Self::V4
        } else {
            Self::V6
        }
    }
}

impl fmt::Display for Family {
    /// The spelling of the API: `v4`, `v6`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::V4 => "v4",
            Family::V6 => "v6",
        })
    }
}

/// The id of the machine that a program runs on, from the text of its `/etc/machine-id`: the text itself must
/// not leave the machine (machine-id(5)). `None` if it has none yet.
pub fn machine(text: &str) -> Option<Uuid> {
    let text = text.trim();
    Uuid::try_parse(text).ok().map(|_| id(&["machine", text]))
}

/// Checks that a name can identify a host. Those that every host has for itself cannot: the objects of
/// two hosts would have the same ids.
///
/// # Errors
/// [`Invalid`] for `localhost` in each of its forms, and for the name of a kernel without one.
pub fn check_node(node: &str) -> Result<(), Invalid> {
    const OF_ALL: [&str; 5] = [
        "localhost",
        "localhost4",
        "localhost6",
        "ip6-localhost",
        "(none)",
    ];
    let (host, domain) = node.split_once('.').unwrap_or((node, ""));
    let is_local = domain.is_empty() || domain.to_ascii_lowercase().starts_with("localdomain");
    match is_local && OF_ALL.iter().any(|name| host.eq_ignore_ascii_case(name)) {
        true => Err(Invalid::new(
            "node_name",
            node,
            "this name does not distinguish the host from others: give the host a name, or set node_name or CONTRAIL_NODE_NAME",
        )),
        false => Ok(()),
    }
}

/// The id of the virtual machine object that represents a container on a host. All interfaces of
/// one container share it.
pub fn virtual_machine(node: &str, container: &str) -> Uuid {
    id(&["virtual-machine", node, container])
}

/// The id of the VM interface of a container: also of its agent port and its port file.
///
/// ```
/// use contrail_core::values::identity;
///
/// let id = identity::interface("node1", "4711", "eth0");
/// assert_eq!(id, identity::interface("node1", "4711", "eth0"));
/// assert!(identity::host_ifname(id).starts_with("tap"));
/// ```
pub fn interface(node: &str, container: &str, ifname: &str) -> Uuid {
    id(&["virtual-machine-interface", node, container, ifname])
}

/// The id of the instance IP of one family on a VM interface.
pub fn instance_ip(interface: Uuid, family: Family) -> Uuid {
    id(&["instance-ip", &interface.to_string(), &family.to_string()])
}

/// The id of an object of a service chain, which follows from its type and name: so any program can
/// repeat its creation and undo it by id.
pub fn service_object(kind: &str, name: &FqName) -> Uuid {
    id(&["service-object", kind, &name.to_string()])
}

/// The name of the host end of a VM interface's veth pair: `tap` and the first eleven characters of
/// the id, as Nova and the vRouter tools name theirs.
pub fn host_ifname(interface: Uuid) -> String {
    let mut name = interface.to_string();
    name.truncate(11);
    name.insert_str(0, "tap");
    name
}

/// The name of the container's end before its runtime renames it: as [`host_ifname`], with `cnt`.
pub fn container_ifname(interface: Uuid) -> String {
    host_ifname(interface).replacen("tap", "cnt", 1)
}

/// UUIDv5 over the parts, each preceded by its length: no two lists of parts give the same text.
fn id(parts: &[&str]) -> Uuid {
    let mut text = String::new();
    for part in parts {
        text.push_str(&format!("{}:{part};", part.len()));
    }
    name_based(NAMESPACE, &text)
}

/// The UUIDv5 of a name in a name space (RFC 9562, section 5.5), which is defined by SHA-1.
pub(crate) fn name_based(namespace: Uuid, name: &str) -> Uuid {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(namespace.as_bytes());
    context.update(name.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&context.finish().as_ref()[..16]);
    Builder::from_sha1_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_every_host_has_does_not_identify_one() {
        for node in [
            "localhost",
            "LocalHost",
            "localhost.",
            "localhost.localdomain",
            "localhost6.localdomain6",
            "localhost4",
            "(none)",
        ] {
            assert!(check_node(node).is_err(), "{node}");
        }
        for node in [
            "node1",
            "localhost1",
            "localhost.example.org",
            "local",
            "lab-localhost",
        ] {
            assert_eq!(check_node(node), Ok(()), "{node}");
        }
    }

    #[test]
    fn the_ids_never_change() {
        // If one of these values changed, existing objects of controllers would no longer be recognized.
        let port = interface("node1", "cniSI", "eth0");
        let ids = [
            virtual_machine("node1", "cniSI"),
            port,
            instance_ip(port, Family::V4),
            instance_ip(port, Family::V6),
        ];
        assert_eq!(
            ids.map(|id| id.to_string()),
            [
                "f25298d3-a17d-5bf6-bb72-02422a7f84b7",
                "d2addb42-4371-5012-bee6-417003b71696",
                "903bbe80-3975-521c-8524-277696dd9884",
                "a8edaae7-997c-536a-ab0d-dd168c4e41e0",
            ]
        );
    }

    #[test]
    fn name_based_ids_are_those_of_the_standard() {
        // The example of RFC 9562, appendix A.4.
        assert_eq!(
            name_based(Uuid::NAMESPACE_DNS, "www.example.com").to_string(),
            "2ed6657d-e927-568b-95e1-2665a8aea6a2"
        );
    }

    #[test]
    fn parts_cannot_run_into_each_other() {
        assert_ne!(interface("a", "bc", "d"), interface("ab", "c", "d"));
        assert_ne!(virtual_machine("n", "c;1:x"), interface("n", "c", "x"));
    }

    #[test]
    fn host_names_fit_the_kernel() {
        let name = host_ifname(interface("node1", &"f".repeat(64), "eth0"));
        assert_eq!(name.len(), 14);
        assert!(name.starts_with("tap"));
    }
}
