//! Collecting what about the settings deserves attention, and saying it once.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::foreign::Treatment;
use super::origin::Origin;
use super::resolve::Resolver;
use super::table::Key;
use super::typed::{Auth, Settings};
use super::warning::Warning;
use crate::files;
use crate::http::{Scheme, Server, TlsSettings};

impl Resolver<'_> {
    /// What about the settings deserves attention, apart from files.
    pub(super) fn warnings(
        &self,
        servers: &[Server],
        auth: &Auth,
        [api, keystone]: [&TlsSettings; 2],
    ) -> Vec<Warning> {
        let layers = self.layers.iter();
        let mut warnings: Vec<Warning> =
            layers.flat_map(|layer| layer.warnings()).cloned().collect();
        let is_unverified = [
            api.insecure && servers.iter().any(|server| server.scheme == Scheme::Https),
            keystone.insecure
                && matches!(auth, Auth::Keystone(account) if account.url.starts_with("https:")),
        ];
        let services = [
            ("the configuration API", Key::ApiInsecure),
            ("Keystone", Key::KeystoneInsecure),
        ];
        for ((service, own), _) in services.iter().zip(is_unverified).filter(|(_, is)| *is) {
            let key = self.nearer(*own, Key::Insecure).unwrap_or(*own);
            warnings.push(Warning::Unverified {
                service,
                key,
                origin: self.origin(key),
            });
        }
        let credential = Key::ApplicationCredentialSecret;
        if self.used_secret(auth) == Some(Key::AdminPassword)
            && self.depth(Key::AuthType).is_none()
            && self.depth(credential) == self.depth(Key::AdminPassword)
        {
            warnings.push(Warning::Unused {
                key: credential,
                origin: self.origin(credential),
                by: Key::AdminPassword,
            });
        }
        if *auth != Auth::None {
            warnings.extend(self.foreign_without_effect());
        }
        warnings
    }

    fn foreign_without_effect(&self) -> impl Iterator<Item = Warning> {
        let foreign = self.layers.iter().flat_map(|layer| layer.foreign());
        foreign.filter_map(|foreign| match foreign.treatment {
            Treatment::NoEffect(reason) => Some(Warning::NoEffect {
                what: foreign.name.into(),
                origin: Origin::Environment(foreign.name.into()),
                reason: reason.into(),
            }),
            Treatment::Refused(_) | Treatment::PartOf(_) => None,
        })
    }

    /// The files that hold secrets in use.
    pub(super) fn secret_files(&self, auth: &Auth) -> Vec<(Key, PathBuf)> {
        let file = |key: Key| {
            let given = self.layers.iter().find_map(|layer| layer.get(key))?;
            let path = match &given.origin {
                _ if given.in_file => PathBuf::from(&given.text),
                Origin::File { path, .. } => path.clone(),
                _ => return None,
            };
            Some((key, path))
        };
        self.used_secret(auth).and_then(file).into_iter().collect()
    }
}

/// What this process has logged already.
static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

impl Settings {
    /// What about these settings deserves attention, including files of secrets that every user of
    /// this host can read.
    pub fn warnings(&self) -> Vec<Warning> {
        let public = self.secret_files.iter().filter(|(_, path)| {
            // A file that is gone, or that nobody may look at, is not public.
            files::is_readable_by_others(path).unwrap_or(false)
        });
        let public = public.map(|(key, path)| Warning::PublicSecret {
            key: *key,
            path: path.clone(),
        });
        self.warnings.iter().cloned().chain(public).collect()
    }

    /// Logs the [warnings](Settings::warnings), each once in the life of this process. Making a client or an
    /// attacher calls this.
    pub fn warn(&self) {
        for warning in self.untold() {
            match warning {
                // Variables that every user of OpenStack has: only of interest to who looks for a reason.
                Warning::NoEffect {
                    origin: Origin::Environment(_),
                    ..
                } => log::debug!("{warning}"),
                _ => log::warn!("{warning}"),
            }
        }
    }

    /// The warnings that this process has not logged yet. From now on it has.
    pub(super) fn untold(&self) -> Vec<Warning> {
        // The set is complete at every moment, even if its last holder panicked.
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        let mut warnings = self.warnings();
        warnings.retain(|warning| told.insert(warning.to_string()));
        warnings
    }
}
