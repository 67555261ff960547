//! What about the settings deserves attention, though they can be used.

use std::fmt;
use std::path::PathBuf;

use super::origin::Origin;
use super::table::Key;
use crate::values::text::quoted;

/// Something about the settings that deserves attention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A key or a section that no client reads.
    Unknown {
        /// What it is, with its section.
        what: String,
        /// Where it is.
        origin: Origin,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A value that other clients heed, and these programs do not.
    NoEffect {
        /// Its name.
        what: String,
        /// Where it is.
        origin: Origin,
        /// Why, or what to set instead.
        reason: String,
    },
    /// A setting that another one makes unused.
    Unused {
        /// The setting.
        key: Key,
        /// Where it is.
        origin: Origin,
        /// The setting that is used instead.
        by: Key,
    },
    /// Certificates are not checked.
    Unverified {
        /// Whose.
        service: &'static str,
        /// The setting.
        key: Key,
        /// Where it is.
        origin: Origin,
    },
    /// Every user of this host can read a secret.
    PublicSecret {
        /// The setting.
        key: Key,
        /// The file that holds it.
        path: PathBuf,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown {
                what,
                origin,
                nearest,
            } => {
                write!(f, "{what} ({origin}) is unknown and has no effect")?;
                match nearest {
                    Some(known) => write!(f, "; did you mean {known}?"),
                    None => Ok(()),
                }
            }
            Self::NoEffect {
                what,
                origin,
                reason,
            } => write!(f, "{what} ({origin}) has no effect: {reason}"),
            Self::Unused { key, origin, by } => {
                let (key, by) = (key.name(), by.name());
                write!(
                    f,
                    "{key} ({origin}) has no effect: {by} is given, too; set auth_type to choose"
                )
            }
            Self::Unverified {
                service,
                key,
                origin,
            } => write!(
                f,
                "{} ({origin}): the certificate of {service} is not checked, so that others can read and change what is sent",
                key.name()
            ),
            Self::PublicSecret { key, path } => write!(
                f,
                "every user of this host can read {} in {}: take the permission from others, as by chmod o-r",
                key.name(),
                quoted(&path.display().to_string())
            ),
        }
    }
}
