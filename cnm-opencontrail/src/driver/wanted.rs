//! What Docker asked for when it created a network, and the note of it on the virtual network.

use contrail_core::FqName;
use contrail_core::attach::network::subnets::Subnet;
use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};

use super::network_options::NetworkOptions;
use crate::options::Target;
use crate::proto::IpamData;

/// The version of the note. Raise it only for notes that programs of today would misunderstand: they ignore
/// new fields, and read fields that are missing as their defaults.
const VERSION: u32 = 1;

/// What Docker asked for when it created a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Wanted {
    /// The user's options.
    pub(super) options: NetworkOptions,
    /// The pools, IPv4 first.
    pub(super) pools: Vec<IpamData>,
    /// Whether the network has no route to others.
    pub(super) internal: bool,
}

/// Why a note cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidNote {
    #[error("it is damaged: {0}")]
    Damaged(#[from] serde_json::Error),
    #[error("a newer plugin wrote it, in version {0}")]
    Newer(u32),
}

#[derive(Serialize)]
struct Note<'a> {
    version: u32,
    #[serde(flatten)]
    wanted: &'a Wanted,
}

/// All that is read of a note before its version is known. The first notes had none.
#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    version: u32,
}

impl Wanted {
    /// The note that is stored on the virtual network.
    pub(super) fn note(&self) -> String {
        let note = Note {
            version: VERSION,
            wanted: self,
        };
        // Texts, numbers and lists: JSON has a form for all of them.
        serde_json::to_string(&note).unwrap_or_default()
    }

    /// Reads a note of this program or an earlier one.
    ///
    /// # Errors
    /// [`InvalidNote`].
    pub(super) fn of_note(note: &str) -> Result<Self, InvalidNote> {
        let Version { version } = serde_json::from_str(note)?;
        match version > VERSION {
            true => Err(InvalidNote::Newer(version)),
            false => Ok(serde_json::from_str(note)?),
        }
    }

    /// What can be seen of it on the virtual network alone.
    pub(super) fn seen(network: FqName, subnets: &[Subnet]) -> Self {
        let pools = subnets.iter().map(|subnet| IpamData {
            pool: subnet.prefix.to_string(),
            gateway: subnet
                .gateway
                .and_then(|gateway| IpNetwork::new(gateway, subnet.prefix.prefix()).ok())
                .map(|gateway| gateway.to_string())
                .unwrap_or_default(),
            ..IpamData::default()
        });
        Self {
            options: NetworkOptions::of(Target::Named(network)),
            pools: pools.collect(),
            internal: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the first programs wrote it.
    const FIRST: &str = r#"{"options":{"target":{"Named":["d","p","net1"]},"route_targets":["target:64512:1"],
        "imports":[],"exports":[],"mtu":1400,"without_gateway":true,"refuse_ports":false},
        "pools":[{"AddressSpace":"LocalDefault","Pool":"10.1.1.0/24","Gateway":"10.1.1.1/24"}],"internal":true}"#;

    #[test]
    fn notes_of_earlier_programs_are_read_and_written_with_a_version() {
        let wanted = Wanted::of_note(FIRST).unwrap();
        assert!(wanted.internal && wanted.options.properties.without_gateway);
        assert_eq!(wanted.options.properties.route_targets, ["target:64512:1"]);
        assert_eq!(wanted.options.properties.mtu, Some(1400));
        assert!(wanted.options.properties.dns.is_empty());
        assert_eq!(wanted.pools[0].gateway, "10.1.1.1/24");
        let note = wanted.note();
        assert!(
            note.starts_with(r#"{"version":1,"options":{"target":{"Named":"#),
            "{note}"
        );
        assert_eq!(Wanted::of_note(&note).unwrap(), wanted);
    }

    #[test]
    fn earlier_programs_read_the_note_and_options_that_are_missing_have_their_defaults() {
        // They knew these fields, ignored all others, and had all of these but `dns`.
        let note = Wanted::of_note(FIRST).unwrap().note();
        let note: serde_json::Value = serde_json::from_str(&note).unwrap();
        let known = [
            "target",
            "route_targets",
            "imports",
            "exports",
            "mtu",
            "without_gateway",
        ];
        for key in known.iter().chain(&["refuse_ports"]) {
            assert!(note["options"].get(key).is_some(), "{key}");
        }
        let short = r#"{"options":{"target":{"Named":["d","p","n"]}},"pools":[],"internal":false}"#;
        assert_eq!(Wanted::of_note(short).unwrap().options.properties.mtu, None);
    }

    #[test]
    fn a_note_that_cannot_be_understood_says_why() {
        for (note, expected) in [
            ("{", "it is damaged"),
            ("", "it is damaged"),
            (r#"{"version":2,"network":{}}"#, "in version 2"),
        ] {
            let error = Wanted::of_note(note).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
