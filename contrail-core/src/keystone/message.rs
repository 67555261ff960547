//! Keystone's messages: credentials as a request body, a token from an answer. Nothing here sends.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Value, json};

use super::endpoint::Version;
use super::settings::{Credential, Domain, Identity, Subject};
use super::timestamp;
use crate::error::Result;
use crate::http::Response;
use crate::values::Secret;

/// The most time before the end of a token at which the next one is requested.
const LONGEST_MARGIN: Duration = Duration::from_secs(300);

/// A token and the time from which it should be replaced, by this host's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The token.
    pub token: Secret,
    /// When to ask for the next one; `None` if Keystone did not tell the token's lifetime.
    pub renew_at: Option<SystemTime>,
}

/// The body that asks for a token; `None` if this version has no such identity.
pub fn body(version: Version, identity: &Identity) -> Option<Value> {
    match version {
        Version::V2 => v2_body(identity),
        Version::V3 => Some(v3_body(identity)),
    }
}

fn v2_body(identity: &Identity) -> Option<Value> {
    let ((key, proof), project) = match identity {
        Identity::Password {
            user,
            password,
            project,
        } => {
            let (key, user) = v2_subject(user, "userId", "username");
            let proof = json!({key: user, "password": password.expose()});
            (("passwordCredentials", proof), project)
        }
        Identity::Token { token, project } => (("token", json!({"id": token.expose()})), project),
        Identity::ApplicationCredential { .. } => return None,
    };
    let (tenant_key, tenant) = v2_subject(project, "tenantId", "tenantName");
    Some(json!({"auth": {key: proof, tenant_key: tenant}}))
}

/// Version 2.0 has no domains.
fn v2_subject<'a>(
    subject: &'a Subject,
    by_id: &'static str,
    by_name: &'static str,
) -> (&'static str, &'a str) {
    match subject {
        Subject::Id(id) => (by_id, id),
        Subject::Named { name, .. } => (by_name, name),
    }
}

fn v3_body(identity: &Identity) -> Value {
    let (method, proof, project) = match identity {
        Identity::Password {
            user,
            password,
            project,
        } => {
            let mut user = v3_subject(user);
            user["password"] = password.expose().into();
            ("password", json!({ "user": user }), Some(project))
        }
        Identity::Token { token, project } => {
            ("token", json!({"id": token.expose()}), Some(project))
        }
        Identity::ApplicationCredential { credential, secret } => {
            let mut proof = match credential {
                Credential::Id(id) => json!({ "id": id }),
                Credential::Named { name, user } => json!({"name": name, "user": v3_subject(user)}),
            };
            proof["secret"] = secret.expose().into();
            // Keystone refuses a scope with it.
            ("application_credential", proof, None)
        }
    };
    let mut auth = json!({"identity": {"methods": [method], method: proof}});
    if let Some(project) = project {
        auth["scope"] = json!({"project": v3_subject(project)});
    }
    json!({ "auth": auth })
}

fn v3_subject(subject: &Subject) -> Value {
    match subject {
        Subject::Id(id) => json!({ "id": id }),
        Subject::Named { name, domain } => json!({"name": name, "domain": v3_domain(domain)}),
    }
}

/// The first domain of every Keystone has the id `default` whatever its name is; to the controller it
/// is `default-domain`.
fn v3_domain(domain: &Domain) -> Value {
    match domain {
        Domain::Id(id) => json!({ "id": id }),
        Domain::Name(name) => match name.as_str() {
            "" | "default" | "default-domain" => json!({"id": "default"}),
            name => json!({ "name": name }),
        },
    }
}

#[derive(Deserialize)]
struct V2Answer {
    access: V2Access,
}

#[derive(Deserialize)]
struct V2Access {
    token: V2Token,
}

#[derive(Deserialize)]
struct V2Token {
    id: String,
    #[serde(default)]
    expires: Option<String>,
    #[serde(default)]
    issued_at: Option<String>,
}

#[derive(Deserialize)]
struct V3Answer {
    token: V3Token,
}

#[derive(Deserialize)]
struct V3Token {
    #[serde(default)]
    expires_at: Option<String>,
    #[serde(default)]
    issued_at: Option<String>,
}

/// The token in a successful answer. `what` names the answer in an error.
pub fn grant(version: Version, response: &Response, what: &str, now: SystemTime) -> Result<Grant> {
    let name = || what.to_owned();
    let (token, expires, issued) = match version {
        Version::V2 => {
            let token = response.json::<V2Answer>(name)?.access.token;
            (Some(token.id), token.expires, token.issued_at)
        }
        Version::V3 => {
            let token = response.json::<V3Answer>(name)?.token;
            let id = response.header("X-Subject-Token").map(str::to_owned);
            (id, token.expires_at, token.issued_at)
        }
    };
    // A token travels in a header: one with other characters could not be sent.
    let token = token.filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_graphic()));
    let token = token.ok_or_else(|| crate::Error::Decode {
        what: what.to_owned(),
        source: serde_json::Error::custom("it holds no token"),
    })?;
    Ok(Grant {
        token: Secret::new(token),
        renew_at: renew_at(expires.as_deref(), issued.as_deref(), now),
    })
}

/// When to ask for the next token. The lifetime is counted from now where Keystone tells both ends:
/// its clock may differ from this host's.
fn renew_at(expires: Option<&str>, issued: Option<&str>, now: SystemTime) -> Option<SystemTime> {
    let expires = timestamp::parse(expires?)?;
    let issued = issued.and_then(timestamp::parse).unwrap_or(now);
    let lifetime = expires.duration_since(issued).unwrap_or_default();
    Some(now + lifetime - (lifetime / 5).min(LONGEST_MARGIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, domain: Domain) -> Subject {
        Subject::Named {
            name: name.into(),
            domain,
        }
    }

    fn by_password(user: Subject, project: Subject) -> Identity {
        Identity::Password {
            user,
            password: Secret::new("contrail123"),
            project,
        }
    }

    fn by_name(user_domain: &str, project_domain: &str) -> Identity {
        by_password(
            named("admin", Domain::Name(user_domain.into())),
            named("demo", Domain::Name(project_domain.into())),
        )
    }

    fn by_id() -> Identity {
        by_password(Subject::Id("u1".into()), Subject::Id("p1".into()))
    }

    fn by_token() -> Identity {
        Identity::Token {
            token: Secret::new("t"),
            project: named("demo", Domain::Id("d1".into())),
        }
    }

    fn by_credential(credential: Credential) -> Identity {
        Identity::ApplicationCredential {
            credential,
            secret: Secret::new("s"),
        }
    }

    #[test]
    fn version_2_gets_users_and_tenants_by_name_or_id() {
        for (identity, auth) in [
            (
                by_name("default", "Sales"),
                json!({"passwordCredentials": {"username": "admin", "password": "contrail123"},
                    "tenantName": "demo"}),
            ),
            (
                by_id(),
                json!({"passwordCredentials": {"userId": "u1", "password": "contrail123"},
                    "tenantId": "p1"}),
            ),
            (
                by_token(),
                json!({"token": {"id": "t"}, "tenantName": "demo"}),
            ),
        ] {
            assert_eq!(body(Version::V2, &identity), Some(json!({ "auth": auth })));
        }
        let credential = by_credential(Credential::Id("c1".into()));
        assert_eq!(body(Version::V2, &credential), None);
    }

    #[test]
    fn version_3_gets_users_projects_and_domains_by_name_or_id() {
        let password = |user: Value, scope: Value| {
            json!({"identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": scope}})
        };
        let credential = |credential: Value| {
            json!({"identity": {"methods": ["application_credential"],
                "application_credential": credential}})
        };
        for (identity, auth) in [
            (
                by_name("default", "Sales"),
                password(
                    json!({"name": "admin", "password": "contrail123", "domain": {"id": "default"}}),
                    json!({"name": "demo", "domain": {"name": "Sales"}}),
                ),
            ),
            (
                by_id(),
                password(
                    json!({"id": "u1", "password": "contrail123"}),
                    json!({"id": "p1"}),
                ),
            ),
            (
                by_token(),
                json!({"identity": {"methods": ["token"], "token": {"id": "t"}},
                    "scope": {"project": {"name": "demo", "domain": {"id": "d1"}}}}),
            ),
            (
                by_credential(Credential::Id("c1".into())),
                credential(json!({"id": "c1", "secret": "s"})),
            ),
            (
                by_credential(Credential::Named {
                    name: "cni".into(),
                    user: named("admin", Domain::Name("Sales".into())),
                }),
                credential(json!({"name": "cni", "secret": "s",
                    "user": {"name": "admin", "domain": {"name": "Sales"}}})),
            ),
        ] {
            assert_eq!(body(Version::V3, &identity), Some(json!({ "auth": auth })));
        }
    }

    #[test]
    fn tokens_are_read_from_the_body_or_the_header() {
        let now = timestamp::parse("2026-11-24T12:00:00Z").unwrap();
        let v2 = Response::new(
            200,
            r#"{"access":{"token":{"id":"t2","expires":"2026-11-24T13:00:00Z",
                "issued_at":"2026-11-24T12:00:00.123","tenant":{"id":"x"}},"user":{}}}"#,
        );
        let found = grant(Version::V2, &v2, "it", now).unwrap();
        assert_eq!(found.token.expose(), "t2");
        assert_eq!(
            found.renew_at,
            timestamp::parse("2026-11-24T12:54:59.877Z"),
            "five minutes before the end"
        );
        let mut v3 = Response::new(201, r#"{"token":{"expires_at":"2026-11-24T12:05:00.0Z"}}"#);
        v3.headers.push(("x-subject-token".into(), "t3".into()));
        let found = grant(Version::V3, &v3, "it", now).unwrap();
        assert_eq!(found.token.expose(), "t3");
        assert_eq!(
            found.renew_at,
            timestamp::parse("2026-11-24T12:04:00Z"),
            "a fifth of the lifetime before the end"
        );
    }

    #[test]
    fn a_clock_that_differs_from_keystones_does_not_shorten_the_lifetime() {
        let now = timestamp::parse("2026-11-24T18:00:00Z").unwrap();
        let (expires, issued) = (Some("2026-11-24T13:00:00Z"), Some("2026-11-24T12:00:00Z"));
        assert_eq!(
            renew_at(expires, issued, now),
            timestamp::parse("2026-11-24T18:55:00Z")
        );
        assert_eq!(renew_at(Some("soon"), issued, now), None);
        assert_eq!(renew_at(None, None, now), None);
    }

    #[test]
    fn dates_that_are_none_or_far_away_are_an_unknown_or_an_endless_lifetime() {
        let now = SystemTime::now();
        for (expires, issued) in [
            ("2026-01-01T00:00:00+1é0", "2026-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59-23:59", "é"),
            ("1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
            ("", ""),
        ] {
            let body =
                json!({"access": {"token": {"id": "t", "expires": expires, "issued_at": issued}}});
            let answer = Response::new(200, body.to_string());
            let found = grant(Version::V2, &answer, "it", now).unwrap();
            assert_eq!(
                found.renew_at.is_some(),
                timestamp::parse(expires).is_some(),
                "{expires}"
            );
        }
    }

    #[test]
    fn an_answer_without_a_token_is_an_error() {
        let now = SystemTime::now();
        let no_header = Response::new(201, r#"{"token":{}}"#);
        assert!(grant(Version::V3, &no_header, "it", now).is_err());
        let two_lines = Response::new(200, r#"{"access":{"token":{"id":"a\nb"}}}"#);
        assert!(grant(Version::V2, &two_lines, "it", now).is_err());
        assert!(grant(Version::V2, &Response::new(200, "<html>"), "it", now).is_err());
    }
}
