//! Files without the form of an entry, as release 0.1.0 wrote them.

use std::io::ErrorKind;
use std::path::Path;

use super::aside;
use super::entries::check_owner;
use crate::error::{Error, Result};
use crate::files;

/// Reads a text; `None` if there is none. What is not a regular file of this user or of root, is larger than
/// 1 MiB or is not UTF-8 is moved aside, with a warning.
///
/// # Errors
/// [`Error::File`].
pub fn read_text(path: &Path) -> Result<Option<String>> {
    let reason = match files::read_private_if(path, check_owner) {
        Ok(content) => match String::from_utf8(content) {
            Ok(text) => return Ok(Some(text)),
            Err(_) => "it is not UTF-8 text".into(),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == ErrorKind::InvalidInput => error.to_string(),
        Err(error) => return Err(Error::file("read", path, error)),
    };
    aside::set_aside(path, &reason);
    Ok(None)
}
