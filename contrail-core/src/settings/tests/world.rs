//! Sources of settings for the tests.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::super::*;
use crate::error::Result;
use crate::keystone::{Identity, KeystoneSettings, Subject};

#[derive(Default)]
pub(super) struct World {
    pub(super) environment: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    nearer: Vec<Layer>,
}

impl World {
    pub(super) fn env(text: &str) -> Self {
        let pairs = text.split_whitespace().filter_map(|p| p.split_once('='));
        Self {
            environment: pairs.map(|(k, v)| (k.into(), v.into())).collect(),
            ..Self::default()
        }
    }

    pub(super) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }

    /// A nearer source, farther than those that were added before.
    pub(super) fn document(mut self, pairs: &[(&str, &str)]) -> Self {
        let mut layer = Layer::default();
        for (key, value) in pairs {
            let origin = Origin::Document {
                name: "network configuration".into(),
                key: key.to_string(),
            };
            assert!(layer.set_named(key, *value, origin), "{key}");
        }
        self.nearer.push(layer);
        self
    }

    pub(super) fn load(&self) -> Result<Settings> {
        let read = |path: &Path| -> io::Result<String> {
            let text = self.files.get(path.to_str().unwrap_or_default());
            text.cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        Settings::load(&Sources {
            nearer: self.nearer.clone(),
            environment: &|name| self.environment.get(name).cloned(),
            files: Vec::new(),
            read: &read,
            host_name: Some("node1".into()),
        })
    }

    pub(super) fn error(&self) -> String {
        self.load().unwrap_err().to_string()
    }
}

pub(super) fn keystone(settings: &Settings) -> &KeystoneSettings {
    match &settings.auth {
        Auth::Keystone(keystone) => keystone,
        other => panic!("{other:?}"),
    }
}

/// User, password and project of an account that has these by name.
pub(super) fn password_account(settings: &Settings) -> [&str; 3] {
    match &keystone(settings).identity {
        Identity::Password {
            user: Subject::Named { name: user, .. },
            password,
            project: Subject::Named { name: project, .. },
        } => [user, password.expose(), project],
        other => panic!("{other:?}"),
    }
}
