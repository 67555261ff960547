//! All settings of this project: one table of names and defaults, sources as layers of text, and
//! the typed values that follow from them.
//!
//! [`Settings::from_env`] reads those of this process. [`Settings::load`] touches nothing outside:
//! the caller passes the environment and the files. The nearest source that has a value wins, and
//! every value knows where it comes from:
//!
//! ```
//! use contrail_core::settings::{Settings, Sources};
//!
//! let settings = Settings::load(&Sources {
//!     nearer: Vec::new(),
//!     environment: &|name| (name == "API_SERVER_IP").then(|| "10.0.0.1,10.0.0.2".to_string()),
//!     files: Vec::new(),
//!     read: &|_| Err(std::io::ErrorKind::NotFound.into()),
//!     host_name: Some("node1".into()),
//! })?;
//! assert_eq!(settings.servers[1].base_url(), "http://10.0.0.2:8082");
//! # Ok::<(), contrail_core::Error>(())
//! ```

mod configparser;
mod from_env;
mod layer;
mod parse;
mod print;
mod resolve;
mod server;
mod table;
#[cfg(test)]
mod tests;
mod vnc_api_lib;
mod yaml;
mod yaml_scalar;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

pub use from_env::host_name;
pub use layer::{Entry, Given, Layer, Origin};
pub use print::{Resolved, table as render};
pub use resolve::ReadFile;
pub use table::{Key, SETTINGS, Setting, find, names, nearest, unknown};
pub use vnc_api_lib::DEFAULT_PATH as VNC_API_LIB_PATH;
pub use vnc_api_lib::parse as parse_vnc_api_lib;
pub use yaml::parse as parse_flat_yaml;

use crate::error::{Error, Result};
use crate::http::{Server, TlsSettings};
use crate::keystone::KeystoneSettings;
use crate::values::Secret;
use resolve::Resolver;

/// Every setting, typed, with its default where no source has a value.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The servers of the configuration API, in the order in which they are tried; at least one.
    pub servers: Vec<Server>,
    /// How requests are authorised.
    pub auth: Auth,
    /// TLS towards the API and Keystone.
    pub tls: TlsSettings,
    /// The vRouter agent's port API, `host:port`.
    pub agent: String,
    /// The directory of the agent's port files.
    pub ports_dir: PathBuf,
    /// The directory of what must survive a restart.
    pub state_dir: PathBuf,
    /// The directory of what may be lost at a restart.
    pub run_dir: PathBuf,
    /// The OpenContrail domain.
    pub domain: String,
    /// The OpenContrail project in that domain.
    pub project: String,
    /// The name of this host.
    pub node: String,
    /// The [id of this machine](crate::values::identity::machine), where it has one.
    pub machine: Option<Uuid>,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// What is logged, and where to.
    pub log: LogSettings,
    values: Vec<Resolved>,
}

/// How requests are authorised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Not at all: the API does not require it.
    None,
    /// By a token that the caller was given.
    Token(Secret),
    /// By tokens from Keystone.
    Keystone(KeystoneSettings),
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Connecting to a server.
    pub connect: Duration,
    /// One request, with its answer.
    pub request: Duration,
    /// Attaching or detaching a container.
    pub attach: Duration,
}

/// What is logged, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// The least important messages that are logged.
    pub level: log::LevelFilter,
    /// A file besides standard error.
    pub file: Option<PathBuf>,
}

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
    /// The name of this host, if no source gives one; see [`host_name`].
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

    /// Every setting with its value and origin, in the order of the table; secrets hidden.
    pub fn values(&self) -> &[Resolved] {
        &self.values
    }

    /// A setting as text, with its origin: for those that only one program understands.
    ///
    /// ```
    /// use contrail_core::settings::{Key, Settings, Sources};
    ///
    /// let sources = Sources {
    ///     environment: &|name| (name == "CONTRAIL_REQUEST_TIMEOUT").then(|| "3".to_owned()),
    ///     read: &|_| Err(std::io::ErrorKind::NotFound.into()),
    ///     ..Sources::of_process()
    /// };
    /// let settings = Settings::load(&sources)?;
    /// assert_eq!(settings.value(Key::RequestTimeout).value.as_deref(), Some("3"));
    /// assert_eq!(settings.timeouts.request.as_secs(), 3);
    /// # Ok::<(), contrail_core::Error>(())
    /// ```
    pub fn value(&self, key: Key) -> &Resolved {
        // One for each row of the table, in its order.
        &self.values[key as usize]
    }

    /// Whether these and `other` lead to the same objects by the same way, so that one connection
    /// serves both.
    pub fn is_same_place(&self, other: &Self) -> bool {
        self.servers == other.servers
            && self.auth == other.auth
            && self.tls == other.tls
            && self.agent == other.agent
            && self.ports_dir == other.ports_dir
            && self.state_dir == other.state_dir
            && self.run_dir == other.run_dir
            && (&self.domain, &self.project) == (&other.domain, &other.project)
            && self.node == other.node
            && self.timeouts == other.timeouts
    }
}

/// The layer of `vnc_api_lib.ini`; `None` if no setting names it and the default path does not exist.
fn read_vnc_api_lib(named: Option<PathBuf>, read: ReadFile) -> Result<Option<Layer>> {
    let path = named
        .as_deref()
        .unwrap_or(Path::new(vnc_api_lib::DEFAULT_PATH));
    match read(path) {
        Ok(text) => vnc_api_lib::parse(&text, path).map(Some),
        Err(e) if named.is_none() && e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::file("read", path, e)),
    }
}
