//! The fully qualified name of a configuration object: `default-domain:admin:net1`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Invalid;

/// The name of a configuration object, from its outermost parent inwards.
///
/// The API writes it as a list of strings; people and other fields of the API write it joined by
/// colons. A part may contain any character except colons and control characters; only route targets
/// (`target:64512:100`) have colons inside their single part. There is at least one part.
///
/// ```
/// use contrail_core::FqName;
///
/// let network: FqName = "default-domain:admin:net1".parse()?;
/// assert_eq!(network.name(), "net1");
/// assert_eq!(network.parent(), Some("default-domain:admin".parse()?));
/// assert_eq!(format!("{network:?}"), "default-domain:admin:net1");
/// # Ok::<(), contrail_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct FqName(Vec<String>);

impl FqName {
    /// A name from its parts, which are taken as they are. No parts are refused by the compiler:
    ///
    /// ```compile_fail
    /// contrail_core::FqName::new([""; 0]);
    /// ```
    pub fn new<S: Into<String>, const N: usize>(parts: [S; N]) -> Self {
        const { assert!(N > 0, "a name has at least one part") };
        Self(parts.map(Into::into).into())
    }

    /// A name from a list of any length, whose parts are taken as they are.
    ///
    /// # Errors
    /// If there are no parts.
    pub fn from_parts<S: Into<String>>(
        parts: impl IntoIterator<Item = S>,
    ) -> Result<Self, Invalid> {
        let parts: Vec<String> = parts.into_iter().map(Into::into).collect();
        match parts.is_empty() {
            true => Err(Invalid::new("fully qualified name", "", "it has no parts")),
            false => Ok(Self(parts)),
        }
    }

    /// The parts, outermost first.
    pub fn parts(&self) -> &[String] {
        &self.0
    }

    /// The object's own name: the last part.
    pub fn name(&self) -> &str {
        // There is one: no constructor makes a name without.
        self.0.last().map_or("", String::as_str)
    }

    /// The name of the parent; `None` for an object of the configuration root.
    pub fn parent(&self) -> Option<FqName> {
        let (_, parent) = self.0.split_last()?;
        Self::from_parts(parent).ok()
    }

    /// Whether this is the name of a child of `parent`.
    pub fn is_child_of(&self, parent: &FqName) -> bool {
        self.0.split_last().is_some_and(|(_, own)| own == parent.0)
    }

    /// The name of another object of the same parent.
    pub fn sibling(&self, name: impl Into<String>) -> FqName {
        match self.parent() {
            Some(parent) => parent.child(name),
            None => Self::new([name.into()]),
        }
    }

    /// The name of the domain that the object is in, or of the object itself if it is one of the
    /// configuration root.
    pub fn outermost(&self) -> FqName {
        Self(self.0.iter().take(1).cloned().collect())
    }

    /// The name of a child of this object.
    pub fn child(&self, name: impl Into<String>) -> FqName {
        let mut parts = self.0.clone();
        parts.push(name.into());
        Self(parts)
    }
}

impl FqName {
    /// The name of an object in a project, as people write it: its own name, or
    /// `domain:project:name`.
    ///
    /// # Errors
    /// For a name of any other number of parts, and one that cannot be parsed.
    ///
    /// ```
    /// use contrail_core::FqName;
    ///
    /// let project = FqName::new(["default-domain", "admin"]);
    /// let net1: FqName = "default-domain:admin:net1".parse()?;
    /// assert_eq!(FqName::in_project("net1", &project)?, net1);
    /// assert_eq!(FqName::in_project("d:p:net1", &project)?.parts().len(), 3);
    /// assert!(FqName::in_project("p:net1", &project).is_err());
    /// # Ok::<(), contrail_core::Error>(())
    /// ```
    pub fn in_project(text: &str, project: &FqName) -> Result<Self, Invalid> {
        let name: Self = text.parse()?;
        match name.parts().len() {
            1 => Ok(project.child(name.name())),
            3 => Ok(name),
            _ => {
                let reason = "a name or domain:project:name is expected";
                Err(Invalid::new("name", text, reason))
            }
        }
    }
}

impl TryFrom<Vec<String>> for FqName {
    type Error = Invalid;

    fn try_from(parts: Vec<String>) -> Result<Self, Invalid> {
        Self::from_parts(parts)
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
            return Self::from_parts(parts);
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
        assert_eq!(name.parent().unwrap().child("net1"), name);
    }

    #[test]
    fn relatives_are_known_for_names_of_any_length() {
        let of = |text: &str| text.parse::<FqName>().unwrap();
        for (name, parent, sibling, outermost) in [
            ("vm1", None, "x", "vm1"),
            ("d:p", Some("d"), "d:x", "d"),
            ("d:p:n", Some("d:p"), "d:p:x", "d"),
        ] {
            let name = of(name);
            assert_eq!(name.parent(), parent.map(of), "{name}");
            assert_eq!(name.sibling("x"), of(sibling));
            assert_eq!(name.outermost(), of(outermost));
            assert!(name.child("y").is_child_of(&name));
            assert!(!name.is_child_of(&name) && !name.is_child_of(&name.child("y")));
            assert!(parent.is_none_or(|parent| name.is_child_of(&of(parent))));
        }
    }

    #[test]
    fn a_name_without_parts_cannot_be_made() {
        assert!(FqName::from_parts([""; 0]).is_err());
        for text in ["[]", "null", "\"a\"", "[null]"] {
            assert!(serde_json::from_str::<FqName>(text).is_err(), "{text}");
        }
        let error = serde_json::from_str::<FqName>("[]").unwrap_err();
        assert!(error.to_string().contains("it has no parts"), "{error}");
    }

    #[test]
    fn empty_parts_and_control_characters_are_refused() {
        for text in ["", "a::b", ":a", "a:", "a:b\n"] {
            assert!(text.parse::<FqName>().is_err(), "{text:?}");
        }
    }
}
