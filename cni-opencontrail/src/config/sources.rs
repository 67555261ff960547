//! Where the settings of a call come from.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use contrail_core::settings::{Layer, LogSettings, ReadFile, Settings, Sources, host_name};

use crate::protocol::environment::Environment;
use crate::protocol::error::CniError;

/// The sources of settings, each read once: all networks of a call have the same host name, the same
/// files and the same secrets.
pub struct SettingsSources<'a> {
    environment: &'a Environment,
    read: ReadFile<'a>,
    /// What has been read.
    files: RefCell<BTreeMap<PathBuf, io::Result<String>>>,
}

impl<'a> SettingsSources<'a> {
    /// The environment, and the files that `read` reads.
    pub fn new(environment: &'a Environment, read: ReadFile<'a>) -> Self {
        Self {
            environment,
            read,
            files: RefCell::default(),
        }
    }

    /// The settings, with those of `nearer` before all others.
    ///
    /// # Errors
    ///
    /// Code 7 for a setting that cannot be used, code 5 for a file that cannot be read.
    pub fn load(&self, nearer: Vec<Layer>) -> Result<Settings, CniError> {
        Ok(self.with(nearer, Settings::load)?)
    }

    /// The settings for DEL, which goes on without the API if its settings cannot be used.
    ///
    /// # Errors
    ///
    /// Code 7 for the name of the host or a directory of its state that cannot be used.
    pub fn load_for_removal(&self, nearer: Vec<Layer>) -> Result<Settings, CniError> {
        Ok(self.with(nearer, Settings::load_for_removal)?)
    }

    /// The log that the environment asks for: for errors before the settings are known.
    pub fn log(&self) -> LogSettings {
        self.with(Vec::new(), |sources| sources.log_settings())
    }

    /// Reads a file, or returns what its first reading returned.
    pub fn read(&self, path: &Path) -> io::Result<String> {
        let mut files = self.files.borrow_mut();
        let entry = files.entry(path.to_path_buf());
        match entry.or_insert_with(|| (self.read)(path)) {
            Ok(text) => Ok(text.clone()),
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        }
    }

    fn with<T>(&self, nearer: Vec<Layer>, resolve: impl Fn(&Sources) -> T) -> T {
        resolve(&Sources {
            nearer,
            environment: &|name| self.environment.get(name).map(str::to_string),
            files: Vec::new(),
            read: &|path| self.read(path),
            host_name: host_name(&|path| self.read(path)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_read_once() {
        let reads = RefCell::new(Vec::new());
        let read = |path: &Path| {
            reads.borrow_mut().push(path.to_path_buf());
            match path.to_str() {
                Some("/proc/sys/kernel/hostname") => Ok("node1\n".to_string()),
                Some("/run/secrets/password") => Ok("contrail123\n".to_string()),
                _ => Err(io::ErrorKind::NotFound.into()),
            }
        };
        let variables = [
            ("OS_USERNAME", "u"),
            ("OS_PASSWORD_FILE", "/run/secrets/password"),
        ];
        let variables = variables.map(|(name, value)| (name.to_string(), value.to_string()));
        let environment = Environment::new(variables);
        let sources = SettingsSources::new(&environment, &read);
        for _ in 0..2 {
            assert_eq!(sources.load(Vec::new()).unwrap().node, "node1");
        }
        let mut read = reads.take();
        let count = read.len();
        read.sort();
        read.dedup();
        assert_eq!(read.len(), count, "{read:?}");
        assert!(read.len() >= 3, "{read:?}");
    }
}
