//! The versions of the protocol.

use std::fmt;

use contrail_core::error::quoted;

use super::json::shortened;

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the names are the numbers
pub enum CniVersion {
    V010,
    V020,
    V030,
    V031,
    V040,
    V100,
    V110,
}

impl CniVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 7] = [
        Self::V010,
        Self::V020,
        Self::V030,
        Self::V031,
        Self::V040,
        Self::V100,
        Self::V110,
    ];
    /// The newest version.
    pub const NEWEST: Self = Self::V110;

    /// As configurations write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V010 => "0.1.0",
            Self::V020 => "0.2.0",
            Self::V030 => "0.3.0",
            Self::V031 => "0.3.1",
            Self::V040 => "0.4.0",
            Self::V100 => "1.0.0",
            Self::V110 => "1.1.0",
        }
    }

    /// The version of this exact spelling. "1.0" is not "1.0.0", as for every other plugin.
    ///
    /// # Errors
    ///
    /// For any other text.
    pub fn parse(text: &str) -> Result<Self, UnknownVersion> {
        let found = Self::ALL.into_iter().find(|v| v.as_str() == text);
        found.ok_or_else(|| UnknownVersion(text.to_string()))
    }
}

/// A version that the plugin does not support.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVersion(String);

impl fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        let all = CniVersion::ALL.map(CniVersion::as_str);
        write!(
            f,
            "the configuration has cniVersion {}, the plugin supports {}",
            quoted(&shortened(text)),
            all.join(", ")
        )?;
        let is_near = |known: &&str| !text.is_empty() && known.starts_with(text.as_str());
        match all.into_iter().rfind(is_near) {
            Some(near) => write!(f, "; did you mean {}?", quoted(near)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_matched_exactly() {
        for version in CniVersion::ALL {
            assert_eq!(CniVersion::parse(version.as_str()), Ok(version));
        }
        for text in ["1.0", "0.1", "9.9.9", "", "1.1.0 "] {
            assert!(CniVersion::parse(text).is_err(), "{text}");
        }
        let details = CniVersion::parse("0.1").unwrap_err().to_string();
        assert!(details.contains("\"0.1\"") && details.ends_with("did you mean \"0.1.0\"?"));
    }
}
