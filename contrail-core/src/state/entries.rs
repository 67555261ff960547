//! A directory of entries: one private file for each, written whole or not at all.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, marker::PhantomData};

use super::aside;
use super::directory::{self, Links};
use super::names::{Key, Names};
use crate::error::{Error, Result};
use crate::files;
use crate::stored::{self, Entry, Newer, Unreadable};

/// Whether an entry must survive a power failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It is on disk when it has been written.
    Synced,
    /// A power failure may lose it, or leave it damaged. Writing it does not wait for the disk.
    Unsynced,
}

/// What is known of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    /// There is no entry.
    Absent,
    /// There is one that cannot be read.
    Damaged,
    /// There is one of a later version. It stays, and a warning was logged.
    Newer,
    /// The entry.
    Entry(T),
}

impl<T> Lookup<T> {
    /// The entry; a damaged one and one of a later version count as absent.
    pub fn entry(self) -> Option<T> {
        match self {
            Self::Entry(entry) => Some(entry),
            Self::Absent | Self::Damaged | Self::Newer => None,
        }
    }
}

/// A directory of entries, one file `<key>.json` each: see [the module](crate::state).
///
/// Entries are not locked: a caller that changes one holds the lock of what it describes.
///
/// ```
/// use contrail_core::state::{Durability, Entries, Entry};
/// use serde::{Deserialize, Serialize};
/// use uuid::Uuid;
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Lease {
///     seconds: u64,
/// }
///
/// impl Entry for Lease {
///     const KIND: &str = "lease";
///     const VERSION: u32 = 1;
/// }
///
/// # let dir = tempfile::tempdir()?;
/// let leases = Entries::<Uuid, Lease>::new(dir.path().join("leases"), Durability::Synced);
/// let id = Uuid::from_u128(1);
/// leases.put(&id, &Lease { seconds: 60 })?;
/// assert_eq!(leases.get(&id)?, Some(Lease { seconds: 60 }));
/// assert_eq!(leases.all()?.len(), 1);
/// leases.remove(&id)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Entries<K, T> {
    names: Names<K>,
    durability: Durability,
    entry: PhantomData<fn() -> T>,
}

impl<K: Key, T: Entry> Entries<K, T> {
    /// The entries in a directory, which is created when one is written.
    pub fn new(dir: impl Into<PathBuf>, durability: Durability) -> Self {
        Self {
            names: Names::new(dir.into(), ".json"),
            durability,
            entry: PhantomData,
        }
    }

    /// With this ending of the file names instead of `.json`.
    #[must_use]
    pub fn ending(self, ending: &'static str) -> Self {
        Self {
            names: self.names.ending(ending),
            ..self
        }
    }

    /// A directory that is refused reads as empty, with a warning, instead of being an error: for records
    /// without which a removal still does most of its work. Nothing is written to it.
    #[must_use]
    pub fn best_effort(mut self) -> Self {
        self.names.best_effort = true;
        self
    }

    /// The directory is the state directory itself, which may be a symbolic link: an administrator chooses
    /// it.
    #[must_use]
    pub fn in_state_dir(mut self) -> Self {
        self.names.links = Links::Followed;
        self
    }

    /// The entry of a key, for callers that go on to write one; `None` if it does not exist or is damaged. A
    /// damaged one is moved aside.
    ///
    /// # Errors
    /// [`Error::File`], also for an entry of a version that this program does not know, which must not be
    /// overwritten: see [`Newer`](super::Newer).
    pub fn get(&self, key: &K) -> Result<Option<T>> {
        match self.read(key, set_aside)? {
            Read::Found(found) => Ok(found.entry()),
            Read::Newer(path, newer) => Err(Error::file("read", path, io::Error::other(newer))),
        }
    }

    /// The entry of a key, for callers that can go on without it. A damaged one is moved aside; one of a
    /// later version stays, and is skipped with a warning.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn find(&self, key: &K) -> Result<Lookup<T>> {
        Ok(self.read(key, set_aside)?.found())
    }

    /// The entry of a key as [`Entries::find`] has it, but a damaged one stays in its place: for callers that
    /// hold no lock on what it describes.
    ///
    /// # Errors
    /// As [`Entries::find`].
    pub fn peek(&self, key: &K) -> Result<Lookup<T>> {
        let read = self.read(key, |path, _, reason| {
            log::debug!("{} is damaged: {reason}", path.display());
        })?;
        Ok(read.found())
    }

    /// Reads an entry. Calls `damaged` for a damaged one, with its content if that could be read.
    fn read(&self, key: &K, damaged: impl Fn(&Path, Option<&[u8]>, &str)) -> Result<Read<T>> {
        let path = self.names.path(key)?;
        if !self.names.is_there()? {
            return Ok(Read::Found(Lookup::Absent));
        }
        let content = match files::read_private_if(&path, check_owner) {
            Ok(content) => content,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Read::Found(Lookup::Absent));
            }
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                damaged(&path, None, &error.to_string());
                return Ok(Read::Found(Lookup::Damaged));
            }
            Err(error) => return Err(Error::file("read", path, error)),
        };
        match stored::decode(&content) {
            Ok(entry) => Ok(Read::Found(Lookup::Entry(entry))),
            Err(Unreadable::Damaged(reason)) => {
                damaged(&path, Some(&content), &reason);
                Ok(Read::Found(Lookup::Damaged))
            }
            Err(Unreadable::Newer(newer)) => Ok(Read::Newer(path, newer)),
        }
    }

    /// Writes an entry, and replaces an earlier one.
    ///
    /// # Errors
    /// [`Error::File`]; an earlier entry is kept then.
    pub fn put(&self, key: &K, entry: &T) -> Result<()> {
        let path = self.names.prepare(key)?;
        let encoded = stored::encode(entry);
        let content = encoded.map_err(|error| Error::file("encode", &path, error.into()))?;
        match self.durability {
            Durability::Synced => files::write_private(&path, &content),
            Durability::Unsynced => files::write_private_unsynced(&path, &content),
        }
    }

    /// Removes an entry; `false` if it did not exist.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn remove(&self, key: &K) -> Result<bool> {
        self.names.remove(key)
    }

    /// All keys that have an entry, readable or not. Files with other names are left alone.
    ///
    /// # Errors
    /// [`Error::File`], also if there are too many files.
    pub fn keys(&self) -> Result<Vec<K>> {
        let found = self.names.list()?.into_iter();
        Ok(found.map(|(_, key)| key).collect())
    }

    /// All keys that have an entry, readable or not, each with when its entry was written; the oldest first.
    ///
    /// # Errors
    /// As [`Entries::keys`].
    pub fn by_age(&self) -> Result<Vec<(SystemTime, K)>> {
        let mut found = self.names.list()?;
        found.sort_by_key(|(written, _)| *written);
        Ok(found)
    }

    /// All entries; damaged ones are moved aside, those of a later version skipped with a warning.
    ///
    /// # Errors
    /// As [`Entries::keys`] and [`Entries::find`].
    pub fn all(&self) -> Result<Vec<(K, T)>> {
        let keys = self.keys()?.into_iter();
        let entry = |key: K| Ok(self.find(&key)?.entry().map(|entry| (key, entry)));
        keys.filter_map(|key| entry(key).transpose()).collect()
    }

    /// When the entry of a key was written; `None` if it does not exist.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn written(&self, key: &K) -> Result<Option<SystemTime>> {
        self.names.written(key)
    }

    /// The file of a key, to name it in a message.
    ///
    /// # Errors
    /// [`Error::File`] if the key is not a plain file name.
    pub fn path(&self, key: &K) -> Result<PathBuf> {
        self.names.path(key)
    }
}

/// What reading gave.
enum Read<T> {
    Found(Lookup<T>),
    Newer(PathBuf, Newer),
}

impl<T> Read<T> {
    /// One rule for every kind of entry: one of a later version stops nothing.
    fn found(self) -> Lookup<T> {
        match self {
            Self::Found(found) => found,
            Self::Newer(path, newer) => {
                log::warn!("skipped {}: {newer}", path.display());
                Lookup::Newer
            }
        }
    }
}

fn set_aside(path: &Path, content: Option<&[u8]>, reason: &str) {
    match content {
        Some(content) => aside::set_aside_if(path, content, reason),
        None => aside::set_aside(path, reason),
    }
}

/// Refuses a file that another user has placed in the directory.
pub(super) fn check_owner(found: &fs::Metadata) -> io::Result<()> {
    directory::check_uid(found.uid(), nix::unistd::geteuid().as_raw())
}

#[cfg(test)]
#[path = "entries_test.rs"]
mod tests;
