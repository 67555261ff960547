//! How far an object of Docker's is: the one form in which creations and removals that are not complete are
//! recorded.
//!
//! Each call records what it is about to do before it asks the controller. So whatever interrupts it, the
//! next tidying up finds what to remove.

use serde::{Deserialize, Serialize};

/// How far a network, an endpoint or an address is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// The controller is being asked. If no call holds the object's lock, the creation was interrupted and
    /// what exists of the object must be removed.
    #[serde(rename = "Asked")]
    Creating,
    /// Docker has it.
    #[default]
    #[serde(rename = "Held")]
    Live,
    /// Docker does not have it, or no longer: what exists of it must be removed.
    #[serde(rename = "Released")]
    Removing,
}

impl Stage {
    /// Whether the object must be removed, unless a call is still creating or removing it.
    pub(crate) fn is_incomplete(self) -> bool {
        self != Self::Live
    }

    /// What a recorded stage means to a program that has just started: no call goes on that creates the
    /// object, and Docker did not get its answer.
    pub(crate) fn after_restart(self) -> Self {
        match self {
            Self::Creating | Self::Removing => Self::Removing,
            Self::Live => Self::Live,
        }
    }
}

/// The stored form of endpoints: a flag that is set unless the object is live.
pub(crate) mod incomplete {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::stage::Stage;

    pub(crate) fn serialize<S: Serializer>(stage: &Stage, into: S) -> Result<S::Ok, S::Error> {
        stage.is_incomplete().serialize(into)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Stage, D::Error> {
        Ok(match bool::deserialize(from)? {
            true => Stage::Removing,
            false => Stage::Live,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Entry {
        #[serde(default, with = "incomplete")]
        unfinished: Stage,
        phase: Stage,
    }

    #[test]
    fn the_stored_forms_are_those_of_earlier_programs() {
        for (stage, text, read_back) in [
            (
                Stage::Creating,
                r#"{"unfinished":true,"phase":"Asked"}"#,
                Stage::Removing,
            ),
            (
                Stage::Live,
                r#"{"unfinished":false,"phase":"Held"}"#,
                Stage::Live,
            ),
            (
                Stage::Removing,
                r#"{"unfinished":true,"phase":"Released"}"#,
                Stage::Removing,
            ),
        ] {
            let entry = Entry {
                unfinished: stage,
                phase: stage,
            };
            assert_eq!(serde_json::to_string(&entry).unwrap(), text);
            let entry: Entry = serde_json::from_str(text).unwrap();
            assert_eq!((entry.unfinished, entry.phase), (read_back, stage));
        }
        let old: Entry = serde_json::from_str(r#"{"phase":"Held"}"#).unwrap();
        assert_eq!(old.unfinished, Stage::Live);
    }
}
