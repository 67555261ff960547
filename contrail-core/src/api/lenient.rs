//! Readers for fields that the API writes in several forms.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

/// Reads `null` like an absent field: the API writes either.
pub fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads `null` and `""` as none: services of the controller write either for "no address".
pub fn empty_as_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    match Option::<String>::deserialize(deserializer)?.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}

/// Reads what is no `T` as none, whatever it is: for fields that servers are known to write nonsense to.
pub(super) fn odd_as_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Read<T> {
        Known(T),
        Odd(IgnoredAny),
    }
    Ok(match Read::deserialize(deserializer)? {
        Read::Known(value) => Some(value),
        Read::Odd(_) => None,
    })
}
