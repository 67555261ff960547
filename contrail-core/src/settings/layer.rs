//! The settings of one source, as they were given.

use std::collections::BTreeMap;

use super::foreign::{self, FOREIGN, Foreign};
use super::origin::Origin;
use super::table::{self, Key, SETTINGS};
use super::warning::Warning;
use crate::error::Result;
use crate::values::text::without_bom;

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
    /// The variables that give no setting of their own.
    foreign: Vec<&'static Foreign>,
    asks_for_tls: bool,
    warnings: Vec<Warning>,
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

    /// The layer of the environment, read through `variable`. A carriage return at the end of a value
    /// belongs to the file of variables that it was read from.
    pub fn of_environment(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut layer = Self::default();
        let variable = &|name: &str| {
            let text = without_line_end(&variable(name)?).to_owned();
            Some(text).filter(|text| !text.is_empty())
        };
        for setting in SETTINGS {
            for name in setting.env {
                let text = variable(name).filter(|text| is_meant_for_us(setting.key, text));
                if let Some(text) = text {
                    layer.set(setting.key, text, Origin::Environment(name.to_string()));
                }
                if setting.secret {
                    let name = format!("{name}_FILE");
                    let text = variable(&name).unwrap_or_default();
                    layer.insert(setting.key, text, true, Origin::Environment(name));
                }
            }
        }
        if layer.get(Key::KeystoneServer).is_none()
            && let Some((name, url)) = foreign::auth_url(variable)
        {
            layer.set(Key::AuthUrl, url, Origin::Environment(name.into()));
        }
        layer.asks_for_tls = foreign::asks_for_tls(variable);
        let given = |foreign: &&Foreign| variable(foreign.name).is_some();
        layer.foreign = FOREIGN.iter().filter(given).collect();
        layer
    }

    /// Whether variables that are parts of Keystone's address ask for TLS.
    pub(super) fn asks_for_tls(&self) -> bool {
        self.asks_for_tls
    }

    /// The variables of other programs in this source.
    pub(super) fn foreign(&self) -> &[&'static Foreign] {
        &self.foreign
    }

    /// What about this source deserves attention.
    pub(super) fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    pub(super) fn warn(&mut self, warning: Warning) {
        self.warnings.push(warning);
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

/// A value or the content of a file without the end of its line.
pub(super) fn without_line_end(text: &str) -> &str {
    text.trim_end_matches(['\r', '\n'])
}

/// The secret in a file: without the mark that some editors put before a text, and the end of its line.
pub(super) fn secret_in(content: &str) -> &str {
    without_line_end(without_bom(content))
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
