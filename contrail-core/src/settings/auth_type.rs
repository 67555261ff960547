//! The values of `auth_type`, which are the names of keystoneauth's plugins, and the versions of Keystone.

use super::parse::Allowed;
use super::table::Key;
use crate::keystone::Version;

/// How Keystone knows the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthType {
    /// Not at all.
    None,
    /// By this proof, in this version if only one has it or it is asked for.
    Method(Method, Option<Version>),
}

/// What proves to Keystone who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Password,
    /// A token that Keystone exchanges.
    Token,
    /// A token for the API.
    FixedToken,
    ApplicationCredential,
}

/// Reads an `auth_type`.
pub(super) fn auth_type(text: &str) -> Result<AuthType, Allowed> {
    const ALLOWED: Allowed = "password, v2password, v3password, token, v2token, v3token, v3applicationcredential, admin_token or none is expected; other methods are not supported";
    let (method, version) = match text.to_ascii_lowercase().as_str() {
        "none" | "noauth" | "no-auth" => return Ok(AuthType::None),
        "password" => (Method::Password, None),
        "v2password" => (Method::Password, Some(Version::V2)),
        "v3password" => (Method::Password, Some(Version::V3)),
        "token" => (Method::Token, None),
        "v2token" => (Method::Token, Some(Version::V2)),
        "v3token" => (Method::Token, Some(Version::V3)),
        "v3applicationcredential" => (Method::ApplicationCredential, Some(Version::V3)),
        "admin_token" | "token_endpoint" => (Method::FixedToken, None),
        _ => return Err(ALLOWED),
    };
    Ok(AuthType::Method(method, version))
}

/// Reads an `identity_api_version`.
pub(super) fn identity_version(text: &str) -> Result<Version, Allowed> {
    match text.trim_start_matches('v') {
        "2" | "2.0" => Ok(Version::V2),
        "3" | "3.0" => Ok(Version::V3),
        _ => Err("2.0 or 3 is expected"),
    }
}

impl Method {
    /// The setting that holds the secret.
    pub(super) fn secret(self) -> Key {
        match self {
            Self::Password => Key::AdminPassword,
            Self::Token | Self::FixedToken => Key::AdminToken,
            Self::ApplicationCredential => Key::ApplicationCredentialSecret,
        }
    }

    /// The settings that show that it is meant.
    pub(super) fn keys(self) -> &'static [Key] {
        match self {
            Self::Password => &[Key::AdminPassword],
            Self::Token | Self::FixedToken => &[Key::AdminToken],
            Self::ApplicationCredential => &[
                Key::ApplicationCredentialSecret,
                Key::ApplicationCredentialId,
                Key::ApplicationCredentialName,
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_keystoneauth_are_known() {
        for (text, method, version) in [
            ("password", Method::Password, None),
            ("v3password", Method::Password, Some(Version::V3)),
            ("V2Password", Method::Password, Some(Version::V2)),
            ("token", Method::Token, None),
            ("v3token", Method::Token, Some(Version::V3)),
            ("admin_token", Method::FixedToken, None),
            (
                "v3applicationcredential",
                Method::ApplicationCredential,
                Some(Version::V3),
            ),
        ] {
            assert_eq!(auth_type(text), Ok(AuthType::Method(method, version)));
        }
        assert_eq!(auth_type("noauth"), Ok(AuthType::None));
        for text in ["v3oidcpassword", "v3totp", "http_basic", "v3", ""] {
            assert!(auth_type(text).is_err(), "{text}");
        }
    }

    #[test]
    fn versions_are_read_in_every_spelling() {
        for (text, version) in [
            ("2", Version::V2),
            ("v2.0", Version::V2),
            ("3", Version::V3),
        ] {
            assert_eq!(identity_version(text), Ok(version), "{text}");
        }
        assert!(identity_version("4").is_err() && identity_version("").is_err());
    }
}
