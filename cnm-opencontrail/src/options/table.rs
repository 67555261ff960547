//! Tables of options, and reading options by them.

use contrail_core::Error as CoreError;
use contrail_core::settings::nearest;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::proto::{DOCKERS, Options};

/// The options that one of Docker's commands takes for this plugin. They are read into a `T`.
pub(crate) struct Table<T: 'static> {
    /// The command and its flag.
    pub(crate) command: &'static str,
    /// What one of them is called in an error about an unknown one.
    pub(crate) kind: &'static str,
    /// What one of them is called in an error about its value.
    pub(crate) label: &'static str,
    /// The options, in groups: one that other commands have too is written once for all of them.
    pub(crate) options: &'static [&'static [DockerOption<T>]],
    /// Labels that Docker itself adds to each request, or carries out itself.
    pub(crate) dockers: &'static [&'static str],
}

/// An option: one row of a table.
pub(crate) struct DockerOption<T> {
    /// The key.
    pub(crate) key: &'static str,
    /// A value as an example.
    pub(crate) example: &'static str,
    /// What the option does.
    pub(crate) meaning: &'static str,
    /// Reads a value that was given.
    pub(crate) read: fn(&mut T, Given) -> Result<()>,
}

/// An option as it was given: a text that is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    label: &'static str,
    key: &'static str,
    text: String,
}

/// The options of one command, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableHelp {
    /// The command and its flag.
    pub command: &'static str,
    /// What one of the options is called.
    pub kind: &'static str,
    /// The options.
    pub options: Vec<OptionHelp>,
}

/// An option, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionHelp {
    /// The key.
    pub key: &'static str,
    /// A value as an example.
    pub example: &'static str,
    /// What the option does.
    pub meaning: &'static str,
}

impl<T> Table<T> {
    fn rows(&self) -> impl Iterator<Item = &'static DockerOption<T>> {
        self.options.iter().copied().flatten()
    }

    /// Reads all options, in the order of the table. Returns the labels of Docker's that were given and mean
    /// nothing here.
    ///
    /// # Errors
    /// [`Error::UnknownOption`]; values that are no text, and those that an option refuses.
    pub(crate) fn read(&self, given: &Options, into: &mut T) -> Result<Vec<String>> {
        let is_known = |key: &str| self.rows().any(|option| option.key == key);
        let is_unknown = |key: &&String| !is_known(key) && !key.starts_with(DOCKERS);
        if let Some(key) = given.keys().find(is_unknown) {
            let known: Vec<&'static str> = self.rows().map(|option| option.key).collect();
            return Err(Error::UnknownOption {
                kind: self.kind,
                key: key.clone(),
                nearest: nearest(key, known.iter().copied()),
                known,
            });
        }
        for option in self.rows() {
            if let Some(text) = self.text(given, option.key)? {
                (option.read)(into, text)?;
            }
        }
        let means_nothing = |key: &&String| !is_known(key) && !self.dockers.contains(&key.as_str());
        Ok(given.keys().filter(means_nothing).cloned().collect())
    }

    fn text(&self, options: &Options, key: &'static str) -> Result<Option<Given>> {
        let label = self.label;
        let given = |text: String| Given { label, key, text };
        match options.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(given(text.clone()))),
            Some(other) => {
                let text = other.as_str().map_or(other.to_string(), str::to_owned);
                Err(given(text).refused("a text is expected"))
            }
        }
    }

    /// The options, for people.
    pub(crate) fn help(&self) -> TableHelp {
        let options = self.rows().map(|option| OptionHelp {
            key: option.key,
            example: option.example,
            meaning: option.meaning,
        });
        TableHelp {
            command: self.command,
            kind: self.kind,
            options: options.collect(),
        }
    }
}

impl Given {
    /// The value.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The error that refuses the value.
    pub(crate) fn refused(&self, reason: impl Into<String>) -> Error {
        self.item_refused(&self.text, reason)
    }

    /// The error that refuses a part of the value.
    pub(crate) fn item_refused(&self, item: &str, reason: impl Into<String>) -> Error {
        let what = format!("{} {}", self.label, self.key);
        CoreError::invalid(what, item, reason).into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLOURS: Table<Vec<String>> = Table {
        command: "paint -o",
        kind: "paint option",
        label: "option",
        options: &[&[
            DockerOption {
                key: "colour",
                example: "red",
                meaning: "the colour of the wall",
                read: |read, given| match given.text() {
                    "none" => Err(given.refused("a colour is expected")),
                    text => {
                        read.push(text.to_owned());
                        Ok(())
                    }
                },
            },
            DockerOption {
                key: "frame",
                example: "blue",
                meaning: "the colour of its frame",
                read: |read, given| {
                    read.push(given.text().to_owned());
                    Ok(())
                },
            },
        ]],
        dockers: &["com.docker.x"],
    };

    fn read(options: Value) -> Result<Vec<String>> {
        let mut colours = Vec::new();
        COLOURS.read(options.as_object().unwrap(), &mut colours)?;
        Ok(colours)
    }

    #[test]
    fn options_are_read_in_the_order_of_the_table_and_dockers_own_are_left_out() {
        let options = json!({"frame": "blue", "colour": "red", "com.docker.x": {"y": 1}});
        assert_eq!(read(options).unwrap(), ["red", "blue"]);
        let options = json!({"com.docker.x": 1, "com.docker.paint": "glossy", "colour": "red"});
        let ignored = COLOURS.read(options.as_object().unwrap(), &mut Vec::new());
        assert_eq!(ignored.unwrap(), ["com.docker.paint"]);
        assert!(read(json!({ "frame": null })).unwrap().is_empty());
    }

    #[test]
    fn an_unknown_key_and_a_value_that_cannot_be_used_are_refused() {
        for (options, expected) in [
            (
                json!({"color": "red"}),
                "unknown paint option \"color\", did you mean \"colour\"?: known are colour, frame",
            ),
            (
                json!({"colour": "none"}),
                "invalid option colour \"none\": a colour is expected",
            ),
            (
                json!({"frame": ""}),
                "invalid option frame \"\": a text is expected",
            ),
            (
                json!({"frame": 5}),
                "invalid option frame \"5\": a text is expected",
            ),
        ] {
            assert_eq!(read(options).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn the_help_has_every_option() {
        let help = COLOURS.help();
        assert_eq!(help.command, "paint -o");
        let keys: Vec<&str> = help.options.iter().map(|option| option.key).collect();
        assert_eq!(keys, ["colour", "frame"]);
    }
}
