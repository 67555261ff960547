//! Loading settings from their sources.

use std::io;
use std::path::{Path, PathBuf};

use super::layer::Layer;
use super::origin::Origin;
use super::print::Resolved;
use super::resolve::{ReadFile, Resolver};
use super::table::Key;
use super::typed::{LogSettings, Settings};
use super::vnc_api_lib;
use super::warning::Warning;
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
    pub(super) fn layers(&self) -> Vec<Layer> {
        let mut layers = self.nearer.clone();
        layers.push(Layer::of_environment(self.environment));
        layers.extend(self.files.iter().cloned());
        layers
    }

    /// The layer of `vnc_api_lib.ini`, if that exists.
    fn vnc_api_lib(&self, layers: &[Layer]) -> Result<Option<Layer>> {
        let named = Resolver::new(layers, self.read).ini_path()?;
        read_vnc_api_lib(named, self.read)
    }

    /// The layers with those that are farther away than all files.
    pub(super) fn with_farther(&self, mut layers: Vec<Layer>, ini: Option<Layer>) -> Vec<Layer> {
        layers.extend(ini);
        let mut host = Layer::default();
        if let Some(name) = &self.host_name {
            host.set(Key::NodeName, name.as_str(), Origin::Default);
        }
        layers.push(host);
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
        let layers = sources.layers();
        let ini = sources.vnc_api_lib(&layers)?;
        let layers = sources.with_farther(layers, ini);
        let resolved = Resolver::new(&layers, sources.read).settings();
        // There is at least one.
        resolved.map_err(|problems| {
            let first = problems.into_iter().next();
            first.unwrap_or_else(|| Error::missing("settings", "none can be used"))
        })
    }
}

/// All settings, for people: also those beside a value that is missing or cannot be used.
#[derive(Debug)]
pub struct Overview {
    /// Each setting with its value and where that comes from.
    pub values: Vec<Resolved>,
    /// What keeps the settings from being used: each value that is missing or refused, and each file that
    /// cannot be read.
    pub problems: Vec<Error>,
    /// What deserves attention in settings that can be used.
    pub warnings: Vec<Warning>,
}

impl Overview {
    /// Resolves as much as can be resolved.
    ///
    /// ```
    /// use contrail_core::settings::{Overview, Sources};
    ///
    /// let environment = |name: &str| match name {
    ///     "OS_USERNAME" => Some("admin".to_owned()),
    ///     "API_SERVER_IP" => Some("10.0.0.1".to_owned()),
    ///     _ => None,
    /// };
    /// let overview = Overview::of(&Sources {
    ///     environment: &environment,
    ///     read: &|_| Err(std::io::ErrorKind::NotFound.into()),
    ///     ..Sources::of_process()
    /// });
    /// let server = overview.values.iter().find(|row| row.setting.name == "api_server").unwrap();
    /// assert_eq!(server.value.as_deref(), Some("10.0.0.1"));
    /// assert!(overview.problems[0].to_string().starts_with("admin_password is missing"));
    /// ```
    pub fn of(sources: &Sources) -> Self {
        let layers = sources.layers();
        let (ini, unread) = match sources.vnc_api_lib(&layers) {
            Ok(ini) => (ini, None),
            Err(error) => (None, Some(error)),
        };
        let layers = sources.with_farther(layers, ini);
        let resolver = Resolver::new(&layers, sources.read);
        let (refused, warnings) = match resolver.settings() {
            Ok(settings) => (Vec::new(), settings.warnings()),
            Err(refused) => (refused, Vec::new()),
        };
        Self {
            values: resolver.resolved(),
            problems: unread.into_iter().chain(refused).collect(),
            warnings,
        }
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
