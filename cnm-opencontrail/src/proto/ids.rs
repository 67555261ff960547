//! Docker's ids of networks and endpoints: opaque, but safe as file names.

use std::fmt;

use contrail_core::state::Key;
use serde::{Deserialize, Serialize};

/// The longest id that is accepted. Docker's have 64 characters, swarm's 25.
const LONGEST: usize = 128;

/// Why an id was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{kind} {value:?} is not an id: 1 to {LONGEST} letters, digits, '-', '_' and '.' are expected, not beginning with '.'"
)]
pub struct InvalidId {
    kind: &'static str,
    value: String,
}

fn check(kind: &'static str, text: String) -> Result<String, InvalidId> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let usable = (1..=LONGEST).contains(&text.len()) && !text.starts_with('.');
    if usable && text.chars().all(allowed) {
        return Ok(text);
    }
    let value = text.chars().take(LONGEST).collect();
    Err(InvalidId { kind, value })
}

macro_rules! id {
    ($name:ident, $kind:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The whole id.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The form in which Docker's command line shows it: the first twelve characters.
            pub fn short(&self) -> &str {
                contrail_core::ownership::names::short_id(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                check($kind, text).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl Key for $name {
            fn name(&self) -> String {
                self.0.clone()
            }

            fn of_name(name: &str) -> Option<Self> {
                Self::try_from(name.to_owned()).ok()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    NetworkId,
    "NetworkID",
    "The id of a Docker network: 64 hexadecimal digits, or 25 characters in a swarm."
);
id!(
    EndpointId,
    "EndpointID",
    "The id of one connection of a container to a network; a restart of the container makes a new one."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_both_engines_are_accepted() {
        for text in ["a".repeat(64), "tmo978mtzquhtgr9rzi3fm8g4".into()] {
            let id = NetworkId::try_from(text.clone()).unwrap();
            assert_eq!(id.as_str(), text);
            assert_eq!(id.short(), &text[..12]);
        }
        assert_eq!(
            EndpointId::try_from("ab".to_string()).unwrap().short(),
            "ab"
        );
    }

    #[test]
    fn what_could_name_another_file_is_refused() {
        for text in [
            "",
            ".",
            "..",
            "../../etc/passwd",
            "a/b",
            "a\0b",
            "ä",
            &"é".repeat(200),
        ] {
            assert!(NetworkId::try_from(text.to_string()).is_err(), "{text:?}");
        }
    }
}
