//! Settings for removing what was attached, which must not wait for what only attaching needs.

use super::load::Sources;
use super::parse::{self, Allowed};
use super::resolve::Resolver;
use super::server;
use super::table::Key;
use super::typed::{Auth, Settings, Timeouts};
use crate::error::{Error, Result, report};
use crate::http::{Scheme, TlsSettings};

impl Settings {
    /// The settings for removing what was attached: it must not wait for what only attaching needs. If the
    /// settings of the API cannot be used, the others stay, and requests to the API fail: see
    /// [`without_api`](Settings::without_api).
    ///
    /// # Errors
    ///
    /// As [`Settings::load`], for the name of the host and the directories of its state alone.
    pub fn load_for_removal(sources: &Sources) -> Result<Self> {
        let error = match Self::load(sources) {
            Ok(settings) => return Ok(settings),
            Err(error) => error,
        };
        let layers = sources.with_farther(sources.layers(), None);
        let settings = Resolver::new(&layers, sources.read).local_settings()?;
        Ok(settings.without_api(&error))
    }

    /// The same settings without those of the API: a request fails with this error before it is sent.
    #[must_use]
    pub fn without_api(self, error: &Error) -> Self {
        Self {
            auth: Auth::Unknown {
                reason: report(error),
            },
            tls: TlsSettings::default(),
            keystone_tls: TlsSettings::default(),
            ..self
        }
    }
}

impl Resolver<'_> {
    /// The settings of this host, strictly, and of everything else what can be used.
    fn local_settings(&self) -> Result<Settings> {
        let defaults = Resolver::new(&[], self.read);
        let path = |key| self.or_default(key, parse::absolute_path);
        let seconds = |key| self.or_default(key, parse::seconds);
        let port = defaults.typed(Key::ApiPort, parse::port)?;
        let read = |text: &str| server::servers(text, Scheme::Http, port);
        Ok(Settings {
            auth: Auth::None,
            servers: defaults.typed(Key::ApiServer, read)?,
            tls: TlsSettings::default(),
            keystone_tls: TlsSettings::default(),
            agent: self.agent().or_else(|_| defaults.agent())?,
            ports_dir: path(Key::VrouterPortsDir)?,
            state_dir: self.typed(Key::StateDir, parse::absolute_path)?,
            run_dir: self.typed(Key::RunDir, parse::absolute_path)?,
            domain: self.or_default(Key::Domain, parse::name)?,
            project: self
                .project(&Auth::None)
                .or_else(|_| defaults.project(&Auth::None))?,
            node: self.node()?,
            machine: self.machine(),
            timeouts: Timeouts {
                connect: seconds(Key::ConnectTimeout)?,
                request: seconds(Key::RequestTimeout)?,
                attach: seconds(Key::AttachTimeout)?,
            },
            log: self.log_or_default(),
            values: self.resolved(),
            warnings: Vec::new(),
            secret_files: Vec::new(),
        })
    }

    /// The value, or the default if the value cannot be used.
    fn or_default<T>(&self, key: Key, read: fn(&str) -> Result<T, Allowed>) -> Result<T> {
        let default = Resolver::new(&[], self.read);
        self.typed(key, read).or_else(|_| default.typed(key, read))
    }
}
