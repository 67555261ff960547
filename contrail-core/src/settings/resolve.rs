//! From layers of text to one set of typed settings: the nearest layer that has a value wins.

use std::io;
use std::path::Path;

use uuid::Uuid;

use super::layer::{Layer, Origin};
use super::parse::{self, Allowed};
use super::print::Resolved;
use super::server;
use super::table::{Key, SETTINGS};
use super::typed::{Auth, LogSettings, Settings, Timeouts};
use crate::error::{Error, Result, report};
use crate::http::{Scheme, Server, TlsSettings, host_and_port};
use crate::keystone::KeystoneSettings;
use crate::values::Secret;
use crate::values::identity;

/// Where a machine has its id, see machine-id(5).
const MACHINE_ID: &str = "/etc/machine-id";

/// Reads a file to a text; the caller hands it in, so that this module touches nothing.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

pub(super) struct Resolver<'a> {
    /// Nearest first.
    layers: &'a [Layer],
    read: ReadFile<'a>,
}

/// A value, where it comes from, and how near that is (0 is nearest).
struct Found {
    text: String,
    origin: Origin,
    depth: usize,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(layers: &'a [Layer], read: ReadFile<'a>) -> Self {
        Self { layers, read }
    }

    /// The nearest value; the default does not count.
    fn given(&self, key: Key) -> Result<Option<Found>> {
        for (depth, layer) in self.layers.iter().enumerate() {
            let Some(given) = layer.get(key) else {
                continue;
            };
            let text = if given.in_file {
                let path = Path::new(&given.text);
                let text = (self.read)(path).map_err(|e| Error::file("read", path, e))?;
                text.trim_end_matches(['\r', '\n']).to_string()
            } else {
                given.text.clone()
            };
            return Ok(Some(Found {
                text,
                origin: given.origin.clone(),
                depth,
            }));
        }
        Ok(None)
    }

    fn text_opt(&self, key: Key) -> Result<Option<String>> {
        Ok(self.given(key)?.map(|found| found.text))
    }

    /// The value or the default, read as `T`.
    fn typed<T>(&self, key: Key, read: impl Fn(&str) -> Result<T, Allowed>) -> Result<T> {
        match self.typed_opt(key, &read)? {
            Some(value) => Ok(value),
            None => {
                let default = key.setting().default.unwrap_or_default();
                read(default).map_err(|allowed| refused(key, default, &Origin::Default, allowed))
            }
        }
    }

    fn typed_opt<T>(
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
        let tls = problems.take(self.tls());
        let agent = problems.take(self.agent());
        let ports_dir = problems.take(self.typed(Key::VrouterPortsDir, parse::absolute_path));
        let state_dir = problems.take(self.typed(Key::StateDir, parse::absolute_path));
        let run_dir = problems.take(self.typed(Key::RunDir, parse::absolute_path));
        let domain = problems.take(self.typed(Key::Domain, parse::name));
        let project = problems.take(self.project());
        let node = problems.take(self.node());
        let connect = problems.take(self.typed(Key::ConnectTimeout, parse::seconds));
        let request = problems.take(self.typed(Key::RequestTimeout, parse::seconds));
        let attach = problems.take(self.typed(Key::AttachTimeout, parse::seconds));
        let log = problems.take(self.log());
        let settings = || {
            Some(Settings {
                servers: servers?,
                auth: auth?,
                tls: tls?,
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

    fn project(&self) -> Result<String> {
        let tenant = self.typed(Key::TenantName, parse::name)?;
        Ok(self.typed_opt(Key::Project, parse::name)?.unwrap_or(tenant))
    }

    /// The settings of this host, strictly, and of everything else what can be used: for what must go on
    /// without the API.
    pub(super) fn local_settings(&self) -> Result<Settings> {
        let defaults = Resolver::new(&[], self.read);
        let either = |key, read: fn(&str) -> Result<_, Allowed>| {
            self.typed(key, read).or_else(|_| defaults.typed(key, read))
        };
        let path = |key| either(key, parse::absolute_path);
        let name = |key| {
            self.typed(key, parse::name)
                .or_else(|_| defaults.typed(key, parse::name))
        };
        let seconds = |key| {
            self.typed(key, parse::seconds)
                .or_else(|_| defaults.typed(key, parse::seconds))
        };
        let port = defaults.typed(Key::ApiPort, parse::port)?;
        let read = |text: &str| server::servers(text, Scheme::Http, port);
        Ok(Settings {
            auth: Auth::None,
            servers: defaults.typed(Key::ApiServer, read)?,
            tls: TlsSettings::default(),
            agent: self.agent().or_else(|_| defaults.agent())?,
            ports_dir: path(Key::VrouterPortsDir)?,
            state_dir: self.typed(Key::StateDir, parse::absolute_path)?,
            run_dir: self.typed(Key::RunDir, parse::absolute_path)?,
            domain: name(Key::Domain)?,
            project: self.project().or_else(|_| defaults.project())?,
            node: self.node()?,
            machine: self.machine(),
            timeouts: Timeouts {
                connect: seconds(Key::ConnectTimeout)?,
                request: seconds(Key::RequestTimeout)?,
                attach: seconds(Key::AttachTimeout)?,
            },
            log: self.log_or_default(),
            values: Vec::new(),
        })
    }

    /// A password with Keystone wins over a fixed token: environment files in the field name both,
    /// and their token is Keystone's own administration token.
    fn auth(&self, api_host: &str) -> Result<Auth> {
        let mode = self.typed_opt(Key::AuthMode, |text| {
            match text.to_ascii_lowercase().as_str() {
                "keystone" => Ok(true),
                "noauth" | "no-auth" | "none" => Ok(false),
                _ => Err("keystone or noauth is expected"),
            }
        })?;
        if mode == Some(false) {
            return Ok(Auth::None);
        }
        let secret = |key| -> Result<Option<Secret>> {
            let text = self.text_opt(key)?.filter(|text| !text.is_empty());
            Ok(text.map(Secret::new))
        };
        let user = self.text_opt(Key::AdminUser)?;
        let url = self.keystone_url()?;
        let hint = |key: Key| {
            let names = key.setting();
            Error::missing(
                names.name,
                format!(
                    "give it in the configuration or as {}, or set auth_mode noauth if the API needs no Keystone",
                    names.env.join(" or ")
                ),
            )
        };
        if let Some(password) = secret(Key::AdminPassword)? {
            return Ok(Auth::Keystone(KeystoneSettings {
                // As older clients: Keystone is on the host of the API unless a setting names it.
                url: url.unwrap_or_else(|| keystone_v2(api_host)),
                user: user.ok_or_else(|| hint(Key::AdminUser))?,
                password,
                project: self.typed(Key::TenantName, parse::name)?,
                user_domain: self.typed(Key::UserDomain, parse::name)?,
                project_domain: self.typed(Key::ProjectDomain, parse::name)?,
            }));
        }
        if let Some(token) = secret(Key::AdminToken)? {
            return Ok(Auth::Token(token));
        }
        if mode == Some(true) || user.is_some() || url.is_some() {
            return Err(hint(Key::AdminPassword));
        }
        Ok(Auth::None)
    }

    /// `auth_url`, or the URL that `keystone_server` means, whichever is nearer.
    fn keystone_url(&self) -> Result<Option<String>> {
        let url = self.given(Key::AuthUrl)?;
        let server = self.given(Key::KeystoneServer)?;
        match (url, server) {
            (Some(url), server) if server.as_ref().is_none_or(|s| s.depth >= url.depth) => {
                let read = parse::http_url(&url.text);
                read.map(Some)
                    .map_err(|allowed| refused(Key::AuthUrl, &url.text, &url.origin, allowed))
            }
            (_, Some(server)) => match server::split_host_port(&server.text) {
                Ok((host, None)) => Ok(Some(keystone_v2(&host))),
                Ok((host, Some(port))) => {
                    Ok(Some(format!("http://{}/v2.0", host_and_port(&host, port))))
                }
                Err(allowed) => Err(refused(
                    Key::KeystoneServer,
                    &server.text,
                    &server.origin,
                    allowed,
                )),
            },
            (_, None) => Ok(None),
        }
    }

    fn tls(&self) -> Result<TlsSettings> {
        let tls = TlsSettings {
            ca: self.typed_opt(Key::CaFile, parse::absolute_path)?,
            client_cert: self.typed_opt(Key::CertFile, parse::absolute_path)?,
            client_key: self.typed_opt(Key::KeyFile, parse::absolute_path)?,
            insecure: self.typed(Key::Insecure, parse::truth)?,
        };
        // The certificate's file may hold the key; a key alone has no use.
        if tls.client_key.is_some() && tls.client_cert.is_none() {
            let hint = "keyfile needs a certificate";
            return Err(Error::missing(Key::CertFile.name(), hint));
        }
        Ok(tls)
    }

    fn agent(&self) -> Result<String> {
        let port = self.typed(Key::VrouterAgentPort, parse::port)?;
        let (host, own_port) = self.typed(Key::VrouterAgent, server::split_host_port)?;
        Ok(host_and_port(&host, own_port.unwrap_or(port)))
    }

    fn node(&self) -> Result<String> {
        let given = self.typed_opt(Key::NodeName, parse::name)?;
        given.ok_or_else(|| {
            let variables = Key::NodeName.setting().env.join(" or ");
            Error::missing(
                "node_name",
                format!("this host has no name; set {variables}"),
            )
        })
    }

    fn machine(&self) -> Option<Uuid> {
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

    fn origin(&self, key: Key) -> Origin {
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

    pub(super) fn ini_path(&self) -> Result<Option<std::path::PathBuf>> {
        self.typed_opt(Key::VncApiLib, parse::absolute_path)
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

fn keystone_v2(host: &str) -> String {
    format!("http://{}/v2.0", host_and_port(host, 35357))
}

fn refused(key: Key, text: &str, origin: &Origin, allowed: Allowed) -> Error {
    // The part of a URL before an @ is a user with a password.
    let is_hidden = key.setting().secret || text.contains('@');
    let shown = if is_hidden { "***" } else { text };
    Error::invalid(format!("{} ({origin})", key.name()), shown, allowed)
}
