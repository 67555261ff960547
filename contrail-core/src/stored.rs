//! The form of what is stored in a file: what it is, in which version, and the value itself.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A value that is kept as an entry, in a form that has a version.
///
/// ```
/// use contrail_core::stored::Entry;
/// use serde::{Deserialize, Serialize};
/// use serde_json::Value;
///
/// #[derive(Serialize, Deserialize)]
/// struct Lease {
///     seconds: u64,
/// }
///
/// impl Entry for Lease {
///     const KIND: &str = "lease";
///     const VERSION: u32 = 2;
///
///     fn upgrade(_version: u32, value: Value) -> serde_json::Result<Self> {
///         // Version 1 was a plain number of minutes.
///         let minutes: u64 = serde_json::from_value(value)?;
///         Ok(Self { seconds: minutes * 60 })
///     }
/// }
/// ```
pub trait Entry: Serialize + DeserializeOwned {
    /// What the entry is, in words: an entry of another kind is not read.
    const KIND: &'static str;

    /// The version of the form that is written, from 1. It grows with every change that an earlier program
    /// would misinterpret.
    const VERSION: u32;

    /// Reads an entry of an earlier version. Entries of release 0.1.0 have no version: it is 0.
    ///
    /// If unset, the earlier form is read like the present one.
    ///
    /// # Errors
    /// If the value is not of that form.
    fn upgrade(version: u32, value: Value) -> serde_json::Result<Self> {
        let _ = version;
        serde_json::from_value(value)
    }
}

/// The release that writes entries, for programs that find one that is too new.
const WRITER: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

#[derive(Serialize)]
struct Written<'a, T> {
    kind: &'a str,
    version: u32,
    written_by: &'a str,
    entry: &'a T,
}

#[derive(Deserialize)]
struct Envelope {
    kind: String,
    version: u32,
    #[serde(default)]
    written_by: Option<String>,
    entry: Value,
}

/// The bytes of an entry.
///
/// # Errors
/// If the entry has no form in JSON.
pub fn encode<T: Entry>(entry: &T) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Written {
        kind: T::KIND,
        version: T::VERSION,
        written_by: WRITER,
        entry,
    })
}

/// Why the bytes of a file are not an entry that this program reads.
#[derive(Debug)]
pub enum Unreadable {
    /// It is not an entry of this kind at all, with the reason.
    Damaged(String),
    /// A later program wrote it.
    Newer(Newer),
}

/// An entry that a later program wrote.
#[derive(Debug)]
pub struct Newer {
    /// What the entry is: [`Entry::KIND`].
    pub kind: &'static str,
    /// The version of its form.
    pub version: u32,
    /// The latest version that this program reads.
    pub known: u32,
    /// The program that wrote it, with its release.
    pub written_by: Option<String>,
}

impl fmt::Display for Newer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, version, known) = (self.kind, self.version, self.known);
        let writer = self.written_by.as_deref().unwrap_or("a later release");
        write!(
            f,
            "it is a {kind:?} entry of version {version}, written by {writer}, and {WRITER} reads up to \
             version {known}: use the release that wrote it, or a later one"
        )
    }
}

impl std::error::Error for Newer {}

/// The entry in some bytes, of this or an earlier version.
///
/// # Errors
/// Bytes that are not an entry of this kind, and entries of a later version.
pub fn decode<T: Entry>(content: &[u8]) -> Result<T, Unreadable> {
    let damaged = |error: serde_json::Error| Unreadable::Damaged(error.to_string());
    let value: Value = serde_json::from_slice(content).map_err(damaged)?;
    if !has_version(&value) {
        return T::upgrade(0, value).map_err(damaged);
    }
    let found: Envelope = serde_json::from_value(value).map_err(damaged)?;
    if found.kind != T::KIND {
        let (kind, expected) = (found.kind, T::KIND);
        let reason = format!("it is a {kind:?} entry, not a {expected:?} entry");
        return Err(Unreadable::Damaged(reason));
    }
    match found.version {
        newer if newer > T::VERSION => Err(Unreadable::Newer(Newer {
            kind: T::KIND,
            version: newer,
            known: T::VERSION,
            written_by: found.written_by,
        })),
        earlier if earlier < T::VERSION => T::upgrade(earlier, found.entry).map_err(damaged),
        _ => serde_json::from_value(found.entry).map_err(damaged),
    }
}

/// Whether an entry has a version: those of release 0.1.0 have none.
fn has_version(value: &Value) -> bool {
    ["kind", "version", "entry"]
        .iter()
        .all(|key| value.get(key).is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Lease(u64);

    impl Entry for Lease {
        const KIND: &str = "lease";
        const VERSION: u32 = 2;

        fn upgrade(version: u32, value: Value) -> serde_json::Result<Self> {
            let minutes: u64 = serde_json::from_value(value)?;
            Ok(Self(minutes * 60 + u64::from(version)))
        }
    }

    fn read(value: Value) -> Result<Lease, String> {
        decode(value.to_string().as_bytes()).map_err(|error| match error {
            Unreadable::Damaged(reason) => reason,
            Unreadable::Newer(newer) => newer.to_string(),
        })
    }

    #[test]
    fn an_entry_says_what_it_is_and_who_wrote_it() {
        let text = encode(&Lease(5)).unwrap();
        let value: Value = serde_json::from_slice(&text).unwrap();
        let expected = json!({"kind": "lease", "version": 2, "written_by": WRITER, "entry": 5});
        assert_eq!(value, expected);
        assert_eq!(read(value).unwrap(), Lease(5));
    }

    #[test]
    fn earlier_versions_are_upgraded() {
        assert_eq!(read(json!(2)).unwrap(), Lease(120));
        let one = json!({"kind": "lease", "version": 1, "entry": 2});
        assert_eq!(read(one).unwrap(), Lease(121));
    }

    #[test]
    fn a_newer_version_is_refused_with_the_release_to_use() {
        let newer = json!({"kind": "lease", "version": 3, "written_by": "x 9.0.0", "entry": {}});
        let error = read(newer).unwrap_err();
        assert!(
            error.contains("of version 3, written by x 9.0.0"),
            "{error}"
        );
        assert!(error.contains("reads up to version 2"), "{error}");
    }

    #[test]
    fn another_kind_and_a_broken_value_are_damage() {
        let other = json!({"kind": "pool", "version": 1, "entry": 2});
        let error = read(other).unwrap_err();
        assert_eq!(error, r#"it is a "pool" entry, not a "lease" entry"#);
        for broken in [
            json!("x"),
            json!({"kind": "lease", "version": 2, "entry": "x"}),
        ] {
            assert!(read(broken).unwrap_err().contains("invalid type"));
        }
    }
}
