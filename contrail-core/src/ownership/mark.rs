//! The mark on what a program of this project made: which program, on which host, for what.

use uuid::Uuid;

use crate::api::{KeyValuePairs, Meta};

/// The program that made an object; only objects that carry it are ever removed by a clean-up.
pub const OWNER: &str = "container-plugin.owner";
/// The host on which it was made.
pub const NODE: &str = "container-plugin.node";
/// The id of the machine on which it was made.
pub const MACHINE: &str = "container-plugin.machine";
/// The container, as its runtime calls it; for an endpoint the endpoint's id.
pub const CONTAINER: &str = "container-plugin.container";
/// The interface's name in the container; empty for an endpoint.
pub const IFNAME: &str = "container-plugin.interface";
/// The name of the runtime's configuration by which it was made.
pub const CONFIGURATION: &str = "container-plugin.configuration";
/// The name of the virtual network.
pub const NETWORK: &str = "container-plugin.network";
/// What a reserved address is for, in words.
pub const RESERVED: &str = "container-plugin.reserved";

/// Whether a program of this project made the object, on any host.
pub fn is_by_plugin(meta: &Meta) -> bool {
    meta.annotations.get(OWNER).is_some()
}

/// Who makes objects: a program on a host.
///
/// ```
/// use contrail_core::api::Meta;
/// use contrail_core::ownership::{Maker, is_by_plugin};
///
/// let maker = Maker { program: "my-program".into(), node: "node1".into(), machine: None };
/// let mut network = Meta::new("default-domain:admin:net1".parse()?);
/// assert!(!is_by_plugin(&network));
/// network.annotations = maker.mark([]);
/// assert!(is_by_plugin(&network));
/// assert_eq!(maker.made(&network, &["node1".to_owned()]), Some("node1"));
///
/// let other = Maker { node: "node2".into(), ..maker };
/// assert_eq!(other.made(&network, &["node2".to_owned()]), None);
/// # Ok::<(), contrail_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maker {
    /// The program, such as `cni-opencontrail`.
    pub program: String,
    /// The host's name.
    pub node: String,
    /// The id of the machine, if known: host names may later be given to other machines.
    pub machine: Option<Uuid>,
}

impl Maker {
    /// The mark of what this program makes on this host, with further annotations.
    pub fn mark<'a>(&'a self, more: impl IntoIterator<Item = (&'a str, &'a str)>) -> KeyValuePairs {
        let own = [(OWNER, self.program.as_str()), (NODE, self.node.as_str())];
        let machine = self.machine.map(|id| id.to_string());
        let machine = machine.as_deref().map(|id| (MACHINE, id));
        #[expect(
            clippy::map_identity,
            reason = "it lets the tuples live no longer than the text of the machine's id"
        )]
        let more = more.into_iter().map(|(key, value)| (key, value));
        own.into_iter().chain(machine).chain(more).collect()
    }

    /// Whether this program made the object on this host, under one of the names that it has had.
    /// Returns that name.
    pub fn made<'a>(&self, meta: &Meta, nodes: &'a [String]) -> Option<&'a str> {
        let get = |key| meta.annotations.get(key);
        let node = get(NODE)?;
        let node = nodes.iter().find(|known| *known == node)?;
        let is_own = get(OWNER) == Some(&self.program) && !self.is_of_other_machine(meta);
        is_own.then_some(node.as_str())
    }

    /// What an address was reserved for by this program on this host; `None` for all others.
    pub fn reserved_for<'a>(&self, meta: &'a Meta) -> Option<&'a str> {
        let nodes = std::slice::from_ref(&self.node);
        self.made(meta, nodes)
            .and_then(|_| meta.annotations.get(RESERVED))
    }

    /// Whether an object was made on another machine, as far as that is known.
    pub(crate) fn is_of_other_machine(&self, meta: &Meta) -> bool {
        match (meta.annotations.get(MACHINE), self.machine) {
            (Some(mark), Some(own)) => mark != own.to_string(),
            _ => false,
        }
    }
}

/// Who has an object, for people: container and host, as far as its mark says.
pub fn holder(meta: &Meta) -> String {
    let get = |key| meta.annotations.get(key);
    let own_name = || {
        meta.display_name
            .clone()
            .unwrap_or(meta.fq_name.to_string())
    };
    let holder = match (get(CONTAINER), get(RESERVED)) {
        (Some(_), _) | (None, None) => own_name(),
        (None, Some(purpose)) => purpose.to_owned(),
    };
    match get(NODE) {
        Some(node) => format!("{holder} on host {node}"),
        None => holder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::FqName;

    fn maker(machine: Option<u128>) -> Maker {
        Maker {
            program: "cni-opencontrail".into(),
            node: "node1".into(),
            machine: machine.map(Uuid::from_u128),
        }
    }

    fn made_by(maker: &Maker) -> Meta {
        let mut meta = Meta::new(FqName::new(["d", "p", "x"]));
        meta.annotations = maker.mark([(RESERVED, "a test")]);
        meta
    }

    #[test]
    fn only_the_program_the_host_and_the_machine_that_made_it_are_the_maker() {
        let meta = made_by(&maker(Some(1)));
        assert!(is_by_plugin(&meta));
        let nodes = ["renamed".to_owned(), "node1".to_owned()];
        assert_eq!(maker(Some(1)).made(&meta, &nodes), Some("node1"));
        assert_eq!(maker(None).made(&meta, &nodes), Some("node1"));
        assert_eq!(maker(Some(2)).made(&meta, &nodes), None);
        assert_eq!(maker(Some(1)).made(&meta, &nodes[..1]), None);
        let other = Maker {
            program: "cnm-opencontrail".into(),
            ..maker(Some(1))
        };
        assert_eq!(other.made(&meta, &nodes), None);
        assert_eq!(maker(Some(1)).reserved_for(&meta), Some("a test"));
        assert_eq!(other.reserved_for(&meta), None);
    }
}
