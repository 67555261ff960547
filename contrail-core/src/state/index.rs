//! Sets of keys: empty files whose names hold all data.

use std::path::PathBuf;
use std::time::SystemTime;

use super::names::{Key, Names};
use crate::error::Result;
use crate::files;

/// A set of keys on disk, each an empty file: what several processes add to and remove from at once,
/// because no two write the same file. It may lose keys in a power failure.
///
/// ```
/// use contrail_core::state::{Index, Pair};
/// use uuid::Uuid;
///
/// # let dir = tempfile::tempdir()?;
/// let members = Index::<Pair>::new(dir.path().join("members"));
/// let member = Pair { first: Uuid::from_u128(1), second: Uuid::from_u128(2) };
/// members.insert(&member)?;
/// assert_eq!(members.keys()?, [member]);
/// members.remove(&member)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Index<K> {
    names: Names<K>,
}

impl<K: Key> Index<K> {
    /// The set in a directory, which is created when a key is added.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            names: Names::new(dir.into(), ""),
        }
    }

    /// With this ending of the file names.
    #[must_use]
    pub fn ending(self, ending: &'static str) -> Self {
        Self {
            names: self.names.ending(ending),
        }
    }

    /// A directory that is refused reads as empty, as for [`Entries`](super::Entries::best_effort).
    #[must_use]
    pub fn best_effort(mut self) -> Self {
        self.names.best_effort = true;
        self
    }

    /// Adds a key, or updates its time of writing: see [`Index::written`].
    ///
    /// # Errors
    /// [`crate::Error::File`].
    pub fn insert(&self, key: &K) -> Result<()> {
        files::touch_private(&self.names.prepare(key)?)
    }

    /// Removes a key; `false` if it was not there.
    ///
    /// # Errors
    /// [`crate::Error::File`].
    pub fn remove(&self, key: &K) -> Result<bool> {
        self.names.remove(key)
    }

    /// All keys. Files with other names are left alone.
    ///
    /// # Errors
    /// [`crate::Error::File`], also if there are too many files.
    pub fn keys(&self) -> Result<Vec<K>> {
        let found = self.names.list()?.into_iter();
        Ok(found.map(|(_, key)| key).collect())
    }

    /// When a key was added last; `None` if it is not there.
    ///
    /// # Errors
    /// [`crate::Error::File`].
    pub fn written(&self, key: &K) -> Result<Option<SystemTime>> {
        self.names.written(key)
    }

    /// All keys, each with when it was added last.
    ///
    /// # Errors
    /// As [`Index::keys`].
    pub fn by_age(&self) -> Result<Vec<(SystemTime, K)>> {
        let mut found = self.names.list()?;
        found.sort_by_key(|(written, _)| *written);
        Ok(found)
    }
}
