//! Keystone's messages: credentials as a request body, a token from an answer. Nothing here sends.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Value, json};

use super::endpoint::Version;
use super::settings::KeystoneSettings;
use super::timestamp;
use crate::error::Result;
use crate::http::Response;
use crate::values::Secret;

/// The most time before the end of a token at which the next one is requested.
const LONGEST_MARGIN: Duration = Duration::from_secs(300);

/// The proof of the caller's identity.
#[derive(Clone, Debug)]
pub enum Proof {
    /// The user's password.
    Password,
    /// Another token of the user, for example one without a project.
    Token(Secret),
}

/// A token and the time from which it should be replaced, by this host's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The token.
    pub token: Secret,
    /// When to ask for the next one; `None` if Keystone did not tell the token's lifetime.
    pub renew_at: Option<SystemTime>,
}

/// The body that asks for a token of the project.
pub fn body(version: Version, settings: &KeystoneSettings, proof: &Proof) -> Value {
    match version {
        Version::V2 => {
            let mut auth = match proof {
                Proof::Password => json!({"passwordCredentials": {
                    "username": settings.user, "password": settings.password.expose()
                }}),
                Proof::Token(token) => json!({"token": {"id": token.expose()}}),
            };
            auth["tenantName"] = settings.project.as_str().into();
            json!({ "auth": auth })
        }
        Version::V3 => {
            let identity = match proof {
                Proof::Password => json!({"methods": ["password"], "password": {"user": {
                    "name": settings.user,
                    "domain": domain(&settings.user_domain),
                    "password": settings.password.expose(),
                }}}),
                Proof::Token(token) => {
                    json!({"methods": ["token"], "token": {"id": token.expose()}})
                }
            };
            let project = json!({
                "name": settings.project,
                "domain": domain(&settings.project_domain),
            });
            json!({"auth": {"identity": identity, "scope": {"project": project}}})
        }
    }
}

/// A domain by name. The first domain of every Keystone has the id `default` whatever its name is;
/// to the controller it is `default-domain`.
fn domain(name: &str) -> Value {
    match name {
        "" | "default" | "default-domain" => json!({"id": "default"}),
        name => json!({ "name": name }),
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

    fn settings() -> KeystoneSettings {
        KeystoneSettings {
            url: "http://k:35357/v2.0".into(),
            user: "admin".into(),
            password: Secret::new("contrail123"),
            project: "demo".into(),
            user_domain: "default".into(),
            project_domain: "Sales".into(),
        }
    }

    #[test]
    fn version_2_gets_user_password_and_tenant() {
        assert_eq!(
            body(Version::V2, &settings(), &Proof::Password),
            json!({"auth": {"passwordCredentials": {"username": "admin", "password": "contrail123"},
                "tenantName": "demo"}})
        );
        assert_eq!(
            body(Version::V2, &settings(), &Proof::Token(Secret::new("t"))),
            json!({"auth": {"token": {"id": "t"}, "tenantName": "demo"}})
        );
    }

    #[test]
    fn version_3_gets_a_domain_for_user_and_project() {
        assert_eq!(
            body(Version::V3, &settings(), &Proof::Password),
            json!({"auth": {
                "identity": {"methods": ["password"], "password": {"user": {
                    "name": "admin", "password": "contrail123", "domain": {"id": "default"}}}},
                "scope": {"project": {"name": "demo", "domain": {"name": "Sales"}}}}})
        );
        let by_token = body(Version::V3, &settings(), &Proof::Token(Secret::new("t")));
        assert_eq!(
            by_token["auth"]["identity"],
            json!({"methods": ["token"], "token": {"id": "t"}})
        );
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
