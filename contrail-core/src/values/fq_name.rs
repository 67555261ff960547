//! The fully qualified name of a configuration object: `default-domain:admin:net1`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Invalid;

/// The name of a configuration object, from its outermost parent inwards.
///
/// The API writes it as a list of strings; people and other fields of the API write it joined by
/// colons. A part may contain any character except colons and control characters; only route targets
/// (`target:64512:100`) have colons inside their single part.
///
/// ```
/// use contrail_core::FqName;
///
/// let network: FqName = "default-domain:admin:net1".parse()?;
/// assert_eq!(network.name(), "net1");
/// assert_eq!(network.parent().to_string(), "default-domain:admin");
/// assert_eq!(format!("{network:?}"), "default-domain:admin:net1");
/// # Ok::<(), contrail_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FqName(Vec<String>);

impl FqName {
    /// A name from its parts, which are taken as they are.
    pub fn new<S: Into<String>>(parts: impl IntoIterator<Item = S>) -> Self {
        Self(parts.into_iter().map(Into::into).collect())
    }

    /// The parts, outermost first.
    pub fn parts(&self) -> &[String] {
        &self.0
    }

    /// The object's own name: the last part, or "" for an empty name.
    pub fn name(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// The name of the parent; empty for an object of the configuration root.
    pub fn parent(&self) -> FqName {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }

    /// The name of a child of this object.
    pub fn child(&self, name: impl Into<String>) -> FqName {
        let mut parts = self.0.clone();
        parts.push(name.into());
        Self(parts)
    }
}

impl fmt::Display for FqName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(":"))
    }
}

impl fmt::Debug for FqName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for FqName {
    type Err = Invalid;

    /// Reads the colon form. Empty parts and control characters are refused, as the API would.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let parts: Vec<&str> = text.split(':').collect();
        let reason = if parts.iter().any(|part| part.is_empty()) {
            "a part between colons is empty"
        } else if text.chars().any(char::is_control) {
            "it holds a control character"
        } else {
            return Ok(Self::new(parts));
        };
        Err(Invalid::new("fully qualified name", text, reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_the_colon_form_and_the_list_form() {
        let name: FqName = "default-domain:admin:net1".parse().unwrap();
        assert_eq!(name.to_string(), "default-domain:admin:net1");
        assert_eq!(
            serde_json::to_string(&name).unwrap(),
            r#"["default-domain","admin","net1"]"#
        );
        assert_eq!(name.parent().child("net1"), name);
    }

    #[test]
    fn an_object_of_the_root_has_an_empty_parent() {
        assert!(FqName::new(["vm1"]).parent().parts().is_empty());
        assert_eq!(FqName::new(Vec::<String>::new()).name(), "");
    }

    #[test]
    fn empty_parts_and_control_characters_are_refused() {
        for text in ["", "a::b", ":a", "a:", "a:b\n"] {
            assert!(text.parse::<FqName>().is_err(), "{text:?}");
        }
    }
}
