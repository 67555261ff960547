//! Keys as file names in one directory.

use std::fs;
use std::io::{self, ErrorKind};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use uuid::Uuid;

use super::aside;
use super::directory::{self, Links};
use crate::error::{Error, Result};
use crate::files;

/// How many files a directory of entries may hold. The plugins never write more.
const MAX_FILES: usize = 1 << 16;

/// What distinguishes an entry from the others of its directory, as a part of its file name.
pub trait Key: Sized {
    /// The key as text: a plain file name without `/`, which does not start with a dot.
    fn name(&self) -> String;

    /// The key that has this text; `None` if there is no such key.
    fn of_name(name: &str) -> Option<Self>;
}

impl Key for Uuid {
    fn name(&self) -> String {
        self.to_string()
    }

    fn of_name(name: &str) -> Option<Self> {
        // Only the form that is written: another one would be a second name of the same entry.
        name.parse().ok().filter(|id: &Uuid| id.name() == name)
    }
}

/// A key of two ids, for what relates one object to another: `<first>_<second>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// The first id.
    pub first: Uuid,
    /// The second id.
    pub second: Uuid,
}

impl Key for Pair {
    fn name(&self) -> String {
        format!("{}_{}", self.first, self.second)
    }

    fn of_name(name: &str) -> Option<Self> {
        let (first, second) = name.split_once('_')?;
        Some(Self {
            first: Uuid::of_name(first)?,
            second: Uuid::of_name(second)?,
        })
    }
}

/// The files of one directory whose names are keys with one ending.
#[derive(Clone, Debug)]
pub(super) struct Names<K> {
    pub(super) dir: PathBuf,
    ending: &'static str,
    /// Whether the directory may be a symbolic link.
    pub(super) links: Links,
    /// Whether a refused directory reads as empty.
    pub(super) best_effort: bool,
    key: PhantomData<fn() -> K>,
}

impl<K: Key> Names<K> {
    pub(super) fn new(dir: PathBuf, ending: &'static str) -> Self {
        Self {
            dir,
            ending,
            links: Links::Refused,
            best_effort: false,
            key: PhantomData,
        }
    }

    pub(super) fn ending(self, ending: &'static str) -> Self {
        Self { ending, ..self }
    }

    /// Whether the directory is there and may be read.
    pub(super) fn is_there(&self) -> Result<bool> {
        match self.best_effort {
            true => directory::check_or_ignore(&self.dir, self.links),
            false => directory::check(&self.dir, self.links),
        }
    }

    /// Makes the directory ready to write the file of a key: what is not a file gives way.
    pub(super) fn prepare(&self, key: &K) -> Result<PathBuf> {
        let path = self.path(key)?;
        directory::create(&self.dir, self.links)?;
        if let Ok(found) = fs::symlink_metadata(&path)
            && let Err(error) = files::check_plain(&found)
        {
            aside::set_aside(&path, &error.to_string());
        }
        Ok(path)
    }

    /// The file of a key.
    pub(super) fn path(&self, key: &K) -> Result<PathBuf> {
        let name = key.name();
        let path = self.dir.join(format!("{name}{}", self.ending));
        match name.is_empty() || name.starts_with('.') || name.contains('/') {
            false => Ok(path),
            true => {
                let reason = "the key is not a plain file name";
                let source = io::Error::new(ErrorKind::InvalidInput, reason);
                Err(Error::file("name", path, source))
            }
        }
    }

    /// The keys that have a file, each with when it was written. Other files are left alone.
    pub(super) fn list(&self) -> Result<Vec<(SystemTime, K)>> {
        if !self.is_there()? {
            return Ok(Vec::new());
        }
        let failed = |error| Error::file("read", &self.dir, error);
        let files = match fs::read_dir(&self.dir) {
            Ok(files) => files,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut found = Vec::new();
        for (number, file) in files.enumerate() {
            if number >= MAX_FILES {
                let reason = format!("it holds more than {MAX_FILES} files: remove foreign ones");
                return Err(failed(io::Error::other(reason)));
            }
            let file = file.map_err(failed)?;
            let Some(key) = self.key_of(&file.file_name().to_string_lossy()) else {
                continue;
            };
            // It may have been removed since.
            if let Some(written) = modified(&file.path(), file.metadata())? {
                found.push((written, key));
            }
        }
        Ok(found)
    }

    /// When the file of a key was written; `None` if it does not exist.
    pub(super) fn written(&self, key: &K) -> Result<Option<SystemTime>> {
        let path = self.path(key)?;
        if !self.is_there()? {
            return Ok(None);
        }
        modified(&path, fs::symlink_metadata(&path))
    }

    pub(super) fn remove(&self, key: &K) -> Result<bool> {
        let path = self.path(key)?;
        if !self.is_there()? {
            return Ok(false);
        }
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => {
                aside::set_aside(&path, "it is a directory");
                Ok(true)
            }
            _ => files::remove(&path),
        }
    }

    fn key_of(&self, file_name: &str) -> Option<K> {
        K::of_name(file_name.strip_suffix(self.ending)?)
    }
}

fn modified(path: &Path, found: io::Result<fs::Metadata>) -> Result<Option<SystemTime>> {
    match found.and_then(|metadata| metadata.modified()) {
        Ok(written) => Ok(Some(written)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_name() {
        let id = Uuid::from_u128(7);
        let pair = Pair {
            first: id,
            second: Uuid::from_u128(8),
        };
        assert_eq!(Uuid::of_name(&id.name()), Some(id));
        assert_eq!(Pair::of_name(&pair.name()), Some(pair));
        assert_eq!(Uuid::of_name(&id.simple().to_string()), None);
        assert_eq!(Pair::of_name(&id.name()), None);
    }

    #[test]
    fn a_key_does_not_leave_the_directory() {
        struct Text(&'static str);
        impl Key for Text {
            fn name(&self) -> String {
                self.0.into()
            }
            fn of_name(_: &str) -> Option<Self> {
                None
            }
        }
        let names = Names::new("/nowhere".into(), ".json");
        assert!(names.path(&Text("a.b")).is_ok());
        for name in ["", ".", "..", ".hidden", "a/b", "/etc/passwd"] {
            let error = names.path(&Text(name)).unwrap_err();
            assert!(matches!(error, Error::File { .. }), "{name}: {error}");
        }
    }
}
