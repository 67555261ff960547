//! The account that tokens are for.

use super::endpoint::Version;
use crate::error::quoted;
use crate::values::Secret;

/// An account at Keystone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeystoneSettings {
    /// The address: `http://10.0.0.1:35357/v2.0`, `https://keystone.example:5000/v3`, with or without
    /// the path of the token request, or only host and port.
    pub url: String,
    /// The only version that is used; `None` for that of the address, and for both if that has none.
    pub version: Option<Version>,
    /// Who asks for tokens, and for which project.
    pub identity: Identity,
}

impl KeystoneSettings {
    /// A user by name and password, and a project by name, both in the first domain.
    pub fn with_password(
        url: impl Into<String>,
        user: impl Into<String>,
        password: Secret,
        project: impl Into<String>,
    ) -> Self {
        Self {
            url: url.into(),
            version: None,
            identity: Identity::Password {
                user: Subject::named(user),
                password,
                project: Subject::named(project),
            },
        }
    }
}

/// Who asks for tokens, how that is proven, and the project that the tokens are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A user by password.
    Password {
        /// The user.
        user: Subject,
        /// The user's password.
        password: Secret,
        /// The project (tenant).
        project: Subject,
    },
    /// A user by another token, for example one without a project.
    Token {
        /// That token.
        token: Secret,
        /// The project (tenant).
        project: Subject,
    },
    /// An application credential (v3), which belongs to one project.
    ApplicationCredential {
        /// Which one.
        credential: Credential,
        /// Its secret.
        secret: Secret,
    },
}

impl Identity {
    /// What proves to Keystone who asks.
    pub(super) fn secret(&self) -> &Secret {
        match self {
            Self::Password { password, .. } => password,
            Self::Token { token, .. } => token,
            Self::ApplicationCredential { secret, .. } => secret,
        }
    }

    /// Who asks, for messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Password { user, .. } => user.label().to_owned(),
            Self::Token { .. } => "the given token".to_owned(),
            Self::ApplicationCredential { credential, .. } => match credential {
                Credential::Id(id) => format!("application credential {id}"),
                Credential::Named { name, user } => {
                    format!("application credential {name} of {}", user.label())
                }
            },
        }
    }

    /// Everything that Keystone checks, for the error when it refuses without telling which part it was.
    pub(super) fn claim(&self) -> String {
        match self {
            Self::Password { user, project, .. } => {
                let (user, project) = (quoted(user.label()), quoted(project.label()));
                format!("user {user}, the password or project {project}")
            }
            Self::Token { project, .. } => {
                format!("the given token or project {}", quoted(project.label()))
            }
            Self::ApplicationCredential { .. } => format!("{} or its secret", self.name()),
        }
    }

    /// All that distinguishes accounts, without secrets.
    pub(super) fn parts(&self) -> Vec<&str> {
        match self {
            Self::Password { user, project, .. } => {
                [["password"].to_vec(), user.parts(), project.parts()].concat()
            }
            Self::Token { project, .. } => [["token"].to_vec(), project.parts()].concat(),
            Self::ApplicationCredential { credential, .. } => match credential {
                Credential::Id(id) => vec!["credential", id],
                Credential::Named { name, user } => {
                    [["credential of", name].to_vec(), user.parts()].concat()
                }
            },
        }
    }
}

/// A user or a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// By its id.
    Id(String),
    /// By its name, which is unique in its domain.
    Named {
        /// The name.
        name: String,
        /// Its domain (v3).
        domain: Domain,
    },
}

impl Subject {
    /// A name in the first domain.
    fn named(name: impl Into<String>) -> Self {
        Self::Named {
            name: name.into(),
            domain: Domain::Id("default".into()),
        }
    }

    fn label(&self) -> &str {
        match self {
            Self::Id(id) => id,
            Self::Named { name, .. } => name,
        }
    }

    fn parts(&self) -> Vec<&str> {
        match self {
            Self::Id(id) => vec!["id", id],
            Self::Named { name, domain } => {
                let (kind, domain) = match domain {
                    Domain::Id(id) => ("name in domain id", id),
                    Domain::Name(name) => ("name in domain", name),
                };
                vec![kind, name, domain]
            }
        }
    }
}

/// A domain (v3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Domain {
    /// By its id.
    Id(String),
    /// By its name.
    Name(String),
}

/// An application credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// By its id.
    Id(String),
    /// By its name, which is unique among those of a user.
    Named {
        /// The name.
        name: String,
        /// The user.
        user: Subject,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_all_that_may_be_wrong_and_no_secret() {
        let hidden = || Secret::new("sesame");
        let password = |project| Identity::Password {
            user: Subject::named("u"),
            password: hidden(),
            project,
        };
        let credential = |credential| Identity::ApplicationCredential {
            credential,
            secret: hidden(),
        };
        let named = Credential::Named {
            name: "c".into(),
            user: Subject::named("u"),
        };
        let token = Identity::Token {
            token: hidden(),
            project: Subject::named("p"),
        };
        for (identity, expected) in [
            (
                password(Subject::named("p")),
                r#"user "u", the password or project "p""#,
            ),
            (
                password(Subject::Id("7\u{1b}".into())),
                r#"user "u", the password or project "7\u{1b}""#,
            ),
            (token, r#"the given token or project "p""#),
            (
                credential(Credential::Id("7".into())),
                "application credential 7 or its secret",
            ),
            (
                credential(named),
                "application credential c of u or its secret",
            ),
        ] {
            assert_eq!(identity.claim(), expected);
        }
    }
}
