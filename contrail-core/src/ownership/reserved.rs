//! What an address without an interface is reserved for: a mark that programs read. The text beside it,
//! [`RESERVED`](super::mark::RESERVED), is for people.

use serde::{Deserialize, Serialize};

use crate::api::Meta;

/// The annotation with the mark: JSON with a version.
const RESERVED_FOR: &str = "container-plugin.reserved-for";

/// The version that is written. It grows with every change that an earlier program would misinterpret.
const VERSION: u32 = 1;

/// What an address is reserved for.
///
/// ```
/// use contrail_core::api::Meta;
/// use contrail_core::ownership::ReservedFor;
///
/// let mut address = Meta::new("default-domain:admin:a1".parse()?);
/// assert_eq!(ReservedFor::of(&address)?, None);
/// let (key, value) = ReservedFor::Nothing.mark();
/// address.annotations = [(key, value.as_str())].into_iter().collect();
/// assert_eq!(ReservedFor::of(&address)?, Some(ReservedFor::Nothing));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReservedFor {
    /// An interface, which is made later and takes the address over.
    Interface,
    /// No interface: it is kept from all of them.
    Nothing,
}

/// The mark of a reserved address cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableMark {
    /// It is not the JSON of a mark.
    #[error("its mark {RESERVED_FOR} is damaged")]
    Damaged(#[from] serde_json::Error),
    /// A later program wrote it.
    #[error("its mark {RESERVED_FOR} has version {0}, and this program reads up to {VERSION}")]
    Newer(u32),
}

#[derive(Serialize, Deserialize)]
struct Mark {
    version: u32,
    #[serde(rename = "for")]
    reserved_for: ReservedFor,
}

/// All that is read of a mark before its version is known.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl ReservedFor {
    /// The annotation of the mark: its name and value.
    pub fn mark(self) -> (&'static str, String) {
        let mark = Mark {
            version: VERSION,
            reserved_for: self,
        };
        // A number and a word: JSON has a form for both.
        (
            RESERVED_FOR,
            serde_json::to_string(&mark).unwrap_or_default(),
        )
    }

    /// What the mark of an address says; `None` if it has none, as those of release 0.1.0.
    ///
    /// # Errors
    /// [`UnreadableMark`].
    pub fn of(meta: &Meta) -> Result<Option<Self>, UnreadableMark> {
        let Some(mark) = meta.annotations.get(RESERVED_FOR) else {
            return Ok(None);
        };
        let Version { version } = serde_json::from_str(mark)?;
        match version > VERSION {
            true => Err(UnreadableMark::Newer(version)),
            false => Ok(Some(serde_json::from_str::<Mark>(mark)?.reserved_for)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::FqName;

    fn marked(value: &str) -> Meta {
        let mut meta = Meta::new(FqName::new(["d", "p", "a"]));
        meta.annotations = [(RESERVED_FOR, value)].into_iter().collect();
        meta
    }

    #[test]
    fn marks_keep_their_form() {
        for (reserved_for, value) in [
            (ReservedFor::Interface, r#"{"version":1,"for":"interface"}"#),
            (ReservedFor::Nothing, r#"{"version":1,"for":"nothing"}"#),
        ] {
            let mark = (RESERVED_FOR, value.to_owned());
            assert_eq!(reserved_for.mark(), mark);
            assert_eq!(ReservedFor::of(&marked(value)).unwrap(), Some(reserved_for));
        }
    }

    #[test]
    fn a_mark_that_cannot_be_understood_says_why() {
        for (value, expected) in [
            ("", "is damaged"),
            ("interface", "is damaged"),
            (r#"{"for":"interface"}"#, "is damaged"),
            (r#"{"version":1,"for":"a guest"}"#, "is damaged"),
            (r#"{"version":2,"who":"a guest"}"#, "version 2"),
        ] {
            let error = ReservedFor::of(&marked(value)).unwrap_err().to_string();
            assert!(error.contains(expected), "{value}: {error}");
        }
    }
}
