//! Where values come from.

use std::fmt;
use std::path::PathBuf;

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
