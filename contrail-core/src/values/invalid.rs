//! A value that cannot be used, and why.

use super::text::quoted;

/// A value that cannot be used.
///
/// ```
/// use contrail_core::FqName;
///
/// let invalid = "a::b".parse::<FqName>().unwrap_err();
/// assert_eq!(
///     invalid.to_string(),
///     r#"invalid fully qualified name "a::b": a part between colons is empty"#
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid {what}{}: {reason}", shown(.value.as_deref()))]
pub struct Invalid {
    /// What the value is for, with its origin if it has one.
    pub what: String,
    /// The value as it was given; `None` if it must not be shown, or there is none.
    pub value: Option<String>,
    /// Why it cannot be used, and what is allowed.
    pub reason: String,
}

impl Invalid {
    /// A value with its purpose and the reason why it cannot be used.
    pub fn new(
        what: impl Into<String>,
        value: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            value: Some(value.into()),
            reason: reason.into(),
        }
    }

    /// The same for a value that must not be shown.
    pub fn hidden(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            value: None,
            reason: reason.into(),
        }
    }
}

fn shown(value: Option<&str>) -> String {
    value.map_or_else(String::new, |value| format!(" {}", quoted(value)))
}
