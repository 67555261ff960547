//! How Go writes values: options, and `null` where a list or a map is empty.

use serde::{Deserialize, Deserializer};

/// Options as Docker sends them: `-o` and `--driver-opt` values are strings, Docker's own are not.
pub type Options = serde_json::Map<String, serde_json::Value>;

/// What the names of Docker's own options begin with.
pub(crate) const DOCKERS: &str = "com.docker.";

/// Reads `null` as the default.
pub(super) fn or_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
