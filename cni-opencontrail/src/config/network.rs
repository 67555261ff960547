//! The configuration of one network.

use contrail_core::error::Error;
use contrail_core::settings::{self, Layer, Origin, Settings};
use serde_json::Value;

use super::invalid::invalid;
use super::keys::given::Given;
use super::keys::options::Options;
use super::keys::table::{KEYS, Key};
use super::unsupported;
use crate::protocol::command::Command;
use crate::protocol::error::CniError;
use crate::protocol::json::{Object, lookup, scalar};

/// The configuration of one network.
#[derive(Clone, Debug)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Its own object: the keys that have a meaning.
    pub own: Object,
    /// The same of the document around it, without its networks; empty for a single network.
    pub document: Object,
    /// Which network it is, for messages about one of several: ` of network net1`.
    pub place: String,
}

impl Network {
    /// The settings in the configuration, nearest first.
    ///
    /// # Errors
    ///
    /// Code 7 for a setting whose value is not a text, a number, a truth value or a list of those.
    pub fn layers(&self) -> Result<Vec<Layer>, CniError> {
        let own = format!("network configuration{}", self.place);
        Ok(vec![
            layer(&self.own, &own)?,
            layer(&self.document, "network configuration")?,
        ])
    }

    /// The same, without the settings that cannot be used.
    pub fn usable_layers(&self) -> Vec<Layer> {
        let objects = [&self.own, &self.document].into_iter().flatten();
        let one = |(key, value): (&String, &Value)| {
            let alone = Object::from_iter([(key.clone(), value.clone())]);
            layer(&alone, "network configuration").ok()
        };
        objects.filter_map(one).collect()
    }

    /// The options that `command` reads.
    ///
    /// # Errors
    ///
    /// Code 7 for the first value that cannot be used, code 2 for a key that is not supported.
    pub fn options(&self, command: Command, settings: &Settings) -> Result<Options, CniError> {
        if command.asks_as_add() {
            self.check_type()?;
            unsupported::check(&self.own, &self.place)?;
            unsupported::check(&self.document, "")?;
        }
        let project = settings.project_name();
        let mut options = Options::new(project.child(self.name.as_str()));
        for key in KEYS.iter().filter(|key| key.is_read_by(command)) {
            if let Some(value) = self.value(key) {
                let given = Given {
                    key: key.name,
                    value,
                    place: &self.place,
                    project: &project,
                };
                (key.read)(&given, &mut options)?;
            }
        }
        Ok(options)
    }

    /// The objects that may hold requests for this attachment, nearest first. Those of the document
    /// belong to its first network: no address or MAC can be on two.
    pub fn request_objects(&self, is_first: bool) -> Vec<&Object> {
        let document = is_first.then_some(&self.document);
        std::iter::once(&self.own).chain(document).collect()
    }

    /// A plugin is called by its type; the entries of a document are this plugin's by theirs.
    fn check_type(&self) -> Result<(), CniError> {
        let is_entry = !self.place.is_empty();
        match lookup(&self.own, "type") {
            Some(kind) if is_entry && !is_own_type(&self.own) => {
                let reason = "only networks of type \"opencontrail\" can be attached here";
                Err(invalid(&format!("type{}", self.place), kind, reason))
            }
            _ => Ok(()),
        }
    }

    fn value(&self, key: &Key) -> Option<&Value> {
        let inherited = || lookup(&self.document, key.name).filter(|_| key.is_inherited);
        lookup(&self.own, key.name).or_else(inherited)
    }
}

/// Whether the configuration of a plugin is one for this plugin.
pub fn is_own_type(object: &Object) -> bool {
    let kind = lookup(object, "type").and_then(Value::as_str);
    matches!(kind, Some("opencontrail" | "cni-opencontrail"))
}

fn layer(object: &Object, name: &str) -> Result<Layer, CniError> {
    let mut layer = Layer::default();
    for (key, value) in object {
        let Some((setting, _)) = settings::find(key).filter(|_| !value.is_null()) else {
            continue;
        };
        let text = match value {
            Value::Array(items) => {
                let items: Option<Vec<String>> = items.iter().map(scalar).collect();
                items.map(|items| items.join(","))
            }
            other => scalar(other),
        };
        let Some(text) = text else {
            // The part of a URL before an @ is a user with a password.
            let is_hidden = setting.setting().secret || value.to_string().contains('@');
            let what = format!("{key} ({name})");
            let reason = "a text, a number, true, false or a list of those is expected";
            return Err(match is_hidden {
                true => Error::hidden(what, reason).into(),
                false => invalid(&what, value, reason),
            });
        };
        let origin = Origin::Document {
            name: name.to_string(),
            key: key.clone(),
        };
        layer.set_named(key, text, origin);
    }
    Ok(layer)
}
