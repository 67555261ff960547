//! From layers of text to one set of typed settings: the nearest layer that has a value wins.

use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::layer::{self, Given, Layer};
use super::origin::Origin;
use super::parse::{self, Allowed};
use super::print::Resolved;
use super::server;
use super::table::{Key, SETTINGS};
use super::typed::{LogSettings, Settings, Timeouts};
use crate::error::{Error, Result, report};
use crate::http::{Scheme, Server, TlsSettings, host_and_port};
use crate::values::identity;

/// Where a machine has its id, see machine-id(5).
const MACHINE_ID: &str = "/etc/machine-id";

/// The options of TLS for each service.
const API_TLS: [Key; 4] = [
    Key::ApiCaFile,
    Key::ApiCertFile,
    Key::ApiKeyFile,
    Key::ApiInsecure,
];
const KEYSTONE_TLS: [Key; 4] = [
    Key::KeystoneCaFile,
    Key::KeystoneCertFile,
    Key::KeystoneKeyFile,
    Key::KeystoneInsecure,
];

/// Reads a file to a text; the caller hands it in, so that this module touches nothing.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

pub(super) struct Resolver<'a> {
    /// Nearest first.
    pub(super) layers: &'a [Layer],
    pub(super) read: ReadFile<'a>,
}

/// A value, where it comes from, and how near that is (0 is nearest).
pub(super) struct Found {
    pub(super) text: String,
    pub(super) origin: Origin,
    pub(super) depth: usize,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(layers: &'a [Layer], read: ReadFile<'a>) -> Self {
        Self { layers, read }
    }

    /// The nearest value; the default does not count.
    pub(super) fn given(&self, key: Key) -> Result<Option<Found>> {
        let Some((depth, given)) = self.nearest(key) else {
            return Ok(None);
        };
        let text = if given.in_file {
            let path = Path::new(&given.text);
            let content = (self.read)(path).map_err(|e| {
                let operation = format!("read {} ({}) from", key.name(), given.origin);
                Error::file(operation, path, e)
            })?;
            layer::secret_in(&content).to_string()
        } else {
            given.text.clone()
        };
        Ok(Some(Found {
            text,
            origin: given.origin.clone(),
            depth,
        }))
    }

    fn nearest(&self, key: Key) -> Option<(usize, &Given)> {
        let mut layers = self.layers.iter().enumerate();
        layers.find_map(|(depth, layer)| Some((depth, layer.get(key)?)))
    }

    /// How near the nearest value is; `None` if there is none.
    pub(super) fn depth(&self, key: Key) -> Option<usize> {
        Some(self.nearest(key)?.0)
    }

    /// The one of two settings that has the nearer value; the first if both are as near.
    pub(super) fn nearer(&self, first: Key, second: Key) -> Option<Key> {
        match (self.depth(first), self.depth(second)) {
            (Some(a), Some(b)) if b < a => Some(second),
            (Some(_), _) => Some(first),
            (None, Some(_)) => Some(second),
            (None, None) => None,
        }
    }

    /// The value or the default, read as `T`.
    pub(super) fn typed<T>(
        &self,
        key: Key,
        read: impl Fn(&str) -> Result<T, Allowed>,
    ) -> Result<T> {
        match self.typed_opt(key, &read)? {
            Some(value) => Ok(value),
            None => {
                let default = key.setting().default.unwrap_or_default();
                read(default).map_err(|allowed| refused(key, default, &Origin::Default, allowed))
            }
        }
    }

    pub(super) fn typed_opt<T>(
        &self,
        key: Key,
        read: impl Fn(&str) -> Result<T, Allowed>,
    ) -> Result<Option<T>> {
        let Some(found) = self.given(key)? else {
            return Ok(None);
        };
        let value = read(&found.text);
        value
            .map(Some)
            .map_err(|allowed| refused(key, &found.text, &found.origin, allowed))
    }

    /// All settings, or everything that keeps them from being used.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for each value that cannot be used, [`Error::Missing`] for each that is needed,
    /// [`Error::File`] for each file that cannot be read. At least one.
    pub(super) fn settings(&self) -> Result<Settings, Vec<Error>> {
        let mut problems = Problems::default();
        for setting in SETTINGS {
            problems.take(self.given(setting.key));
        }
        let servers = problems.take(self.servers());
        // Without a server that can be used, Keystone's default is of no interest.
        let auth = match &servers {
            Some(servers) => problems.take(self.auth(&servers[0].host)),
            None => problems.take(self.auth("localhost")),
        };
        let tls = problems.take(self.tls(API_TLS));
        let keystone_tls = problems.take(self.tls(KEYSTONE_TLS));
        let agent = problems.take(self.agent());
        let ports_dir = problems.take(self.typed(Key::VrouterPortsDir, parse::absolute_path));
        let state_dir = problems.take(self.typed(Key::StateDir, parse::absolute_path));
        let run_dir = problems.take(self.typed(Key::RunDir, parse::absolute_path));
        let domain = problems.take(self.typed(Key::Domain, parse::name));
        // Whose name is missing is known with the account only.
        let project = match &auth {
            Some(auth) => problems.take(self.project(auth)),
            None => problems
                .take(self.typed_opt(Key::Project, parse::name))
                .flatten(),
        };
        let node = problems.take(self.node());
        let connect = problems.take(self.typed(Key::ConnectTimeout, parse::seconds));
        let request = problems.take(self.typed(Key::RequestTimeout, parse::seconds));
        let attach = problems.take(self.typed(Key::AttachTimeout, parse::seconds));
        let log = problems.take(self.log());
        let settings = || {
            let (servers, auth) = (servers?, auth?);
            let (tls, keystone_tls) = (tls?, keystone_tls?);
            Some(Settings {
                warnings: self.warnings(&servers, &auth, [&tls, &keystone_tls]),
                secret_files: self.secret_files(&auth),
                servers,
                auth,
                tls,
                keystone_tls,
                agent: agent?,
                ports_dir: ports_dir?,
                state_dir: state_dir?,
                run_dir: run_dir?,
                domain: domain?,
                project: project?,
                node: node?,
                machine: self.machine(),
                timeouts: Timeouts {
                    connect: connect?,
                    request: request?,
                    attach: attach?,
                },
                log: log?,
                values: self.resolved(),
            })
        };
        settings()
            .filter(|_| problems.0.is_empty())
            .ok_or(problems.0)
    }

    fn servers(&self) -> Result<Vec<Server>> {
        let scheme = match self.typed(Key::ApiSsl, parse::truth)? {
            true => Scheme::Https,
            false => Scheme::Http,
        };
        let port = self.typed(Key::ApiPort, parse::port)?;
        self.typed(Key::ApiServer, |text| server::servers(text, scheme, port))
    }

    /// The options of one service, for each of which there is a key for both services.
    fn tls(&self, [ca, cert, key, insecure]: [Key; 4]) -> Result<TlsSettings> {
        let path = |own: Key, general: Key| match self.nearer(own, general) {
            Some(key) => self.typed_opt(key, parse::absolute_path),
            None => Ok(None),
        };
        let insecure = self.nearer(insecure, Key::Insecure);
        let place = |own: Key, general: Key| {
            let key = self.nearer(own, general)?;
            Some((self.depth(key)?, key == general))
        };
        // A key beside a certificate that another one replaces is not that one's: its file holds its own.
        let is_of_another = match (place(cert, Key::CertFile), place(key, Key::KeyFile)) {
            (Some(chosen), Some(found)) if found > chosen => {
                let beside = if found.1 { Key::CertFile } else { cert };
                let source = self.layers.get(found.0);
                source.is_some_and(|source| source.get(beside).is_some())
            }
            _ => false,
        };
        let client_key = match is_of_another {
            true => None,
            false => path(key, Key::KeyFile)?,
        };
        let tls = TlsSettings {
            ca: path(ca, Key::CaFile)?,
            client_cert: path(cert, Key::CertFile)?,
            client_key,
            insecure: self.typed(insecure.unwrap_or(Key::Insecure), parse::truth)?,
        };
        // The certificate's file may hold the key; a key alone has no use.
        if tls.client_key.is_some() && tls.client_cert.is_none() {
            let key = self.nearer(key, Key::KeyFile).unwrap_or(key);
            let hint = format!("{} needs a certificate", key.name());
            return Err(Error::missing(Key::CertFile.name(), hint));
        }
        Ok(tls)
    }

    pub(super) fn agent(&self) -> Result<String> {
        let port = self.typed(Key::VrouterAgentPort, parse::port)?;
        let (host, own_port) = self.typed(Key::VrouterAgent, server::split_host_port)?;
        Ok(host_and_port(&host, own_port.unwrap_or(port)))
    }

    pub(super) fn node(&self) -> Result<String> {
        let given = self.typed_opt(Key::NodeName, parse::name)?;
        given.ok_or_else(|| {
            let variables = Key::NodeName.setting().env.join(" or ");
            Error::missing(
                "node_name",
                format!("this host has no name; set {variables}"),
            )
        })
    }

    pub(super) fn machine(&self) -> Option<Uuid> {
        let text = (self.read)(Path::new(MACHINE_ID)).ok()?;
        identity::machine(&text)
    }

    fn log(&self) -> Result<LogSettings> {
        let level = self.given(Key::LogLevel)?;
        let debug = self.given(Key::Debug)?;
        let nearer = |debug: usize| level.as_ref().is_none_or(|level| debug < level.depth);
        let is_debug = self.typed(Key::Debug, parse::truth)?;
        let level = self.typed(Key::LogLevel, parse::log_level)?;
        Ok(LogSettings {
            level: match debug {
                Some(found) if is_debug && nearer(found.depth) => log::LevelFilter::Debug,
                _ => level,
            },
            file: self.typed_opt(Key::LogFile, parse::absolute_path)?,
        })
    }

    /// Every setting with its value, whether it can be used or not. One whose file cannot be read has none.
    pub(super) fn resolved(&self) -> Vec<Resolved> {
        let rows = SETTINGS.iter().map(|setting| {
            let (value, origin) = match self.given(setting.key) {
                Ok(Some(_)) if setting.secret => (Some("***".into()), self.origin(setting.key)),
                Ok(Some(found)) => (Some(found.text), found.origin),
                Ok(None) => (setting.default.map(str::to_string), Origin::Default),
                Err(_) => (None, self.origin(setting.key)),
            };
            Resolved {
                setting,
                value,
                origin,
            }
        });
        rows.collect()
    }

    pub(super) fn origin(&self, key: Key) -> Origin {
        let given = self.layers.iter().find_map(|layer| layer.get(key));
        given.map_or(Origin::Default, |given| given.origin.clone())
    }

    /// Only the settings of logging: an error may have to be logged before, or because, the others
    /// cannot be resolved. What cannot be used counts as absent.
    pub(super) fn log_or_default(&self) -> LogSettings {
        self.log().unwrap_or(LogSettings {
            level: log::LevelFilter::Warn,
            file: None,
        })
    }

    /// The file that a setting names for other OpenContrail clients, and the origin of that setting.
    pub(super) fn ini_path(&self) -> Result<Option<(PathBuf, Origin)>> {
        let path = self.typed_opt(Key::VncApiLib, parse::absolute_path)?;
        Ok(path.map(|path| (path, self.origin(Key::VncApiLib))))
    }
}

/// What keeps settings from being used, each once.
#[derive(Default)]
struct Problems(Vec<Error>);

impl Problems {
    fn take<T>(&mut self, outcome: Result<T>) -> Option<T> {
        let error = match outcome {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        // A value that several others need is refused for each of them.
        let text = report(&error);
        if self.0.iter().all(|known| report(known) != text) {
            self.0.push(error);
        }
        None
    }
}

/// The error for a value that cannot be used.
pub(super) fn refused(key: Key, text: &str, origin: &Origin, allowed: Allowed) -> Error {
    let what = format!("{} ({origin})", key.name());
    // The part of a URL before an @ is a user with a password.
    match key.setting().secret || text.contains('@') {
        true => Error::hidden(what, allowed),
        false => Error::invalid(what, text, allowed),
    }
}
