//! Settings as typed values.

use std::path::PathBuf;
use std::time::Duration;

use uuid::Uuid;

use super::print::Resolved;
use super::table::Key;
use super::warning::Warning;
use crate::http::{Server, TlsSettings};
use crate::keystone::KeystoneSettings;
use crate::values::{FqName, Secret};

/// Every setting, typed, with its default where no source has a value.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The servers of the configuration API, in the order in which they are tried; at least one.
    pub servers: Vec<Server>,
    /// How requests are authorised.
    pub auth: Auth,
    /// TLS towards the API.
    pub tls: TlsSettings,
    /// TLS towards Keystone.
    pub keystone_tls: TlsSettings,
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
    pub(super) values: Vec<Resolved>,
    /// What deserves attention, apart from files.
    pub(super) warnings: Vec<Warning>,
    /// The files that hold secrets in use.
    pub(super) secret_files: Vec<(Key, PathBuf)>,
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
    /// It is not known: settings that the API needs cannot be used, for this reason. Every request fails with
    /// it before it is sent.
    Unknown {
        /// Why, as the error says it.
        reason: String,
    },
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

impl Settings {
    /// Every setting with its value and origin, in the order of the table; secrets hidden.
    pub fn values(&self) -> &[Resolved] {
        &self.values
    }

    /// The fully qualified name of the project.
    pub fn project_name(&self) -> FqName {
        FqName::new([&self.domain, &self.project])
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
            && (&self.tls, &self.keystone_tls) == (&other.tls, &other.keystone_tls)
            && self.agent == other.agent
            && self.ports_dir == other.ports_dir
            && self.state_dir == other.state_dir
            && self.run_dir == other.run_dir
            && (&self.domain, &self.project) == (&other.domain, &other.project)
            && self.node == other.node
            && self.timeouts == other.timeouts
    }
}
