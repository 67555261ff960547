//! The account that tokens are for.

use crate::values::Secret;

/// An account at Keystone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeystoneSettings {
    /// The address: `http://10.0.0.1:35357/v2.0`, `https://keystone.example:5000/v3`, with or without
    /// the path of the token request, or only host and port.
    pub url: String,
    /// The user.
    pub user: String,
    /// The user's password.
    pub password: Secret,
    /// The project (tenant) that the token is for.
    pub project: String,
    /// The user's domain (v3).
    pub user_domain: String,
    /// The project's domain (v3).
    pub project_domain: String,
}
