//! Loading settings from their sources.

use std::io;
use std::path::{Path, PathBuf};

use super::layer::Layer;
use super::origin::Origin;
use super::resolve::{ReadFile, Resolver};
use super::table::Key;
use super::typed::{LogSettings, Settings};
use super::vnc_api_lib;
use crate::error::{Error, Result};

/// Where settings come from, nearest first; each field is farther away than the one above it.
pub struct Sources<'a> {
    /// What came with the request or on the command line, nearest first.
    pub nearer: Vec<Layer>,
    /// The environment.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Configuration files, nearest first. `vnc_api_lib.ini` is read too, and comes after them.
    pub files: Vec<Layer>,
    /// Reads a file.
    pub read: ReadFile<'a>,
    /// The name of this host, if no source gives one; see [`host_name`](super::host_name).
    pub host_name: Option<String>,
}

impl Sources<'_> {
    fn layers(&self) -> Vec<Layer> {
        let mut layers = self.nearer.clone();
        layers.push(Layer::of_environment(self.environment));
        layers.extend(self.files.iter().cloned());
        layers
    }

    /// Only the settings of logging, for errors about the other settings.
    pub fn log_settings(&self) -> LogSettings {
        Resolver::new(&self.layers(), self.read).log_or_default()
    }
}

impl Settings {
    /// Resolves all settings from their sources.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with name, origin and what is allowed for a value that cannot be used,
    /// [`Error::Missing`] for one that others need, [`Error::File`] for a file that was named and
    /// cannot be read.
    ///
    /// ```
    /// use contrail_core::settings::{Auth, Settings, Sources};
    ///
    /// let environment = |name: &str| match name {
    ///     "OS_AUTH_URL" => Some("http://10.0.0.1:35357/v2.0".to_owned()),
    ///     "OS_USERNAME" | "OS_PASSWORD" => Some("admin".to_owned()),
    ///     _ => None,
    /// };
    /// let sources = Sources {
    ///     environment: &environment,
    ///     read: &|_| Err(std::io::ErrorKind::NotFound.into()),
    ///     ..Sources::of_process()
    /// };
    /// let settings = Settings::load(&sources)?;
    /// assert!(matches!(settings.auth, Auth::Keystone(_)));
    /// # Ok::<(), contrail_core::Error>(())
    /// ```
    pub fn load(sources: &Sources) -> Result<Self> {
        let mut layers = sources.layers();
        let named = Resolver::new(&layers, sources.read).ini_path()?;
        layers.extend(read_vnc_api_lib(named, sources.read)?);
        let mut host = Layer::default();
        if let Some(name) = &sources.host_name {
            host.set(Key::NodeName, name.as_str(), Origin::Default);
        }
        layers.push(host);
        Resolver::new(&layers, sources.read).settings()
    }
}

/// The layer of `vnc_api_lib.ini`; `None` if no setting names it and the default path does not exist.
fn read_vnc_api_lib(named: Option<(PathBuf, Origin)>, read: ReadFile) -> Result<Option<Layer>> {
    let path = named.as_ref().map(|(path, _)| path.as_path());
    let path = path.unwrap_or(Path::new(vnc_api_lib::DEFAULT_PATH));
    let operation = match &named {
        Some((_, origin)) => format!("read {} ({origin}) from", Key::VncApiLib.name()),
        None => "read".into(),
    };
    match read(path) {
        Ok(text) => vnc_api_lib::parse(&text, path).map(Some),
        Err(e) if named.is_none() && e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::file(operation, path, e)),
    }
}
