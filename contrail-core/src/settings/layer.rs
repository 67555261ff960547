//! The settings of one source, as they were given.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::table::{self, Key, SETTINGS};
use crate::error::Result;

/// Where a value comes from, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A document that came with the request: what it is and the key in it.
    Document {
        /// What the document is.
        name: String,
        /// The key, as it was written.
        key: String,
    },
    /// A command-line flag, as it was written.
    Flag(String),
    /// An environment variable.
    Environment(String),
    /// A line of a file, counted from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// No source had it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document { name, key } => write!(f, "{name}, key {key}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Environment(variable) => write!(f, "environment variable {variable}"),
            Self::File { path, line } => write!(f, "{} line {line}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value as it was given.
#[derive(Clone, PartialEq, Eq)]
pub struct Given {
    /// The text, or the path of the file that holds it.
    pub text: String,
    /// Whether `text` is such a path.
    pub in_file: bool,
    /// Where it comes from.
    pub origin: Origin,
}

/// The settings of one source. An empty value is no value, as field configurations use it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Layer {
    values: BTreeMap<Key, Given>,
}

impl Layer {
    /// Sets a setting, unless `text` is empty. The first value counts.
    pub fn set(&mut self, key: Key, text: impl Into<String>, origin: Origin) {
        self.insert(key, text.into(), false, origin);
    }

    /// Sets the setting that a document calls `name`; false when no setting has that name.
    pub fn set_named(&mut self, name: &str, text: impl Into<String>, origin: Origin) -> bool {
        let Some((key, in_file)) = table::find(name) else {
            return false;
        };
        self.insert(key, text.into(), in_file, origin);
        true
    }

    /// The layer of a flat file's entries. `others` are names that the caller itself knows besides
    /// the settings, for the hint; it must have taken their entries out.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Invalid`] for a name that no setting has.
    pub fn of_entries(entries: Vec<Entry>, others: &[&str]) -> Result<Self> {
        let mut layer = Self::default();
        for entry in entries {
            let place = entry.origin.to_string();
            if !layer.set_named(&entry.key, entry.value, entry.origin) {
                return Err(table::unknown(&entry.key, &place, others));
            }
        }
        Ok(layer)
    }

    /// The layer of the environment, read through `variable`.
    pub fn of_environment(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut layer = Self::default();
        for setting in SETTINGS {
            for name in setting.env {
                if let Some(text) = variable(name).filter(|text| is_meant_for_us(setting.key, text))
                {
                    layer.set(setting.key, text, Origin::Environment(name.to_string()));
                }
                if setting.secret {
                    let name = format!("{name}_FILE");
                    let text = variable(&name).unwrap_or_default();
                    layer.insert(setting.key, text, true, Origin::Environment(name));
                }
            }
        }
        layer
    }

    /// What this source says about a setting.
    pub fn get(&self, key: Key) -> Option<&Given> {
        self.values.get(&key)
    }

    fn insert(&mut self, key: Key, text: String, in_file: bool, origin: Origin) {
        if !text.is_empty() {
            self.values.entry(key).or_insert(Given {
                text,
                in_file,
                origin,
            });
        }
    }
}

/// Many programs read `DEBUG`: a value that is not a truth value is meant for another one.
fn is_meant_for_us(key: Key, text: &str) -> bool {
    key != Key::Debug || super::parse::boolean(text).is_some()
}

/// A line of a flat file: a name, a value and its place.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, as it was written.
    pub key: String,
    /// The value, without quotes.
    pub value: String,
    /// The line.
    pub origin: Origin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_both_older_plugins_are_read_from_the_environment() {
        let variable = |name: &str| {
            let value = match name {
                "CONFIG_API_SERVER" => "10.87.64.34",
                "API_SERVER_IP" => "",
                "OS_TENANT_NAME" => "t1",
                "ADMIN_TENANT" => "t2",
                "OS_PASSWORD_FILE" => "/run/secrets/password",
                "DEBUG" => "express:*",
                _ => return None,
            };
            Some(value.to_string())
        };
        let layer = Layer::of_environment(&variable);
        let given = |key| layer.get(key).map(|given| given.text.as_str());
        assert_eq!(given(Key::ApiServer), Some("10.87.64.34"));
        assert_eq!(given(Key::TenantName), Some("t1"));
        assert_eq!(given(Key::Debug), None);
        let password = layer.get(Key::AdminPassword).unwrap();
        assert!(password.in_file && password.text == "/run/secrets/password");
    }
}
