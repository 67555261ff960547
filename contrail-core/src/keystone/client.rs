//! Keystone as a source of tokens: asked once, shared by threads and processes.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::de::Error as _;

use super::cache::{NoLock, TokenCache};
use super::endpoint::{self, Endpoint, Version};
use super::message::{self, Grant};
use super::settings::{Identity, KeystoneSettings};
use super::source::TokenSource;
use crate::error::{Error, Result, after_colon};
use crate::http::{AnswerKind, Effect, Method, Request, Response, Transport};
use crate::values::Deadline;
use crate::values::Secret;

/// The time limit of one request; hashing a password takes Keystone a good part of a second.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// Gets tokens from Keystone with a user's credentials.
pub struct Keystone {
    transport: Arc<dyn Transport>,
    identity: Identity,
    endpoints: Vec<Endpoint>,
    cache: TokenCache,
    /// The token of this process. Held while Keystone is asked, so that parallel threads ask once.
    current: Mutex<Option<Grant>>,
}

impl Keystone {
    /// A source that keeps its tokens in `cache_dir`, where other processes of the same user find
    /// them. If the directory cannot be used, tokens are requested more often.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the address cannot be used.
    pub fn new(
        transport: Arc<dyn Transport>,
        settings: KeystoneSettings,
        cache_dir: &Path,
    ) -> Result<Self> {
        let endpoints = usable(&settings)?;
        let mut account = vec![endpoints[0].url.as_str()];
        account.extend(settings.identity.parts());
        let cache = TokenCache::new(cache_dir, &account);
        Ok(Self {
            transport,
            endpoints,
            cache,
            identity: settings.identity,
            current: Mutex::new(None),
        })
    }

    /// A token that is not `rejected`: this process's, another process's, or a new one.
    fn obtain(&self, rejected: Option<&Secret>, deadline: Deadline) -> Result<Secret> {
        let seconds = deadline.remaining().as_secs_f32();
        let mut current = self.current();
        let usable = |grant: &Grant, now| {
            Some(&grant.token) != rejected && grant.renew_at.is_none_or(|renew_at| now < renew_at)
        };
        let known = current.as_ref().filter(|g| usable(g, SystemTime::now()));
        if let Some(grant) = known {
            return Ok(grant.token.clone());
        }
        let stored = || {
            let now = SystemTime::now();
            self.cache
                .read(self.secret(), now)
                .filter(|grant| usable(grant, now))
        };
        let grant = match stored() {
            Some(grant) => grant,
            None => {
                let _lock = match self.cache.lock(deadline) {
                    Ok(lock) => Some(lock),
                    Err(NoLock::Timeout) => {
                        let operation = "waiting for another process to get a token".to_owned();
                        return Err(Error::Timeout { operation, seconds });
                    }
                    Err(NoLock::Unusable(error)) => {
                        log::debug!("tokens are not kept on disk: {error}");
                        None
                    }
                };
                match stored() {
                    Some(grant) => grant,
                    None => self.ask(deadline)?,
                }
            }
        };
        let token = grant.token.clone();
        *current = Some(grant);
        Ok(token)
    }

    fn current(&self) -> MutexGuard<'_, Option<Grant>> {
        // The value is consistent at every moment, even if its last holder panicked.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks Keystone, in the first version that it knows, and stores the token.
    fn ask(&self, deadline: Deadline) -> Result<Grant> {
        let mut unknown = None;
        for endpoint in &self.endpoints {
            let response = self.post(endpoint, deadline)?;
            if response.is_success() {
                let what = format!("the answer of {}", service(endpoint));
                let grant = message::grant(endpoint.version, &response, &what, SystemTime::now());
                let grant = grant.map_err(|error| self.hidden(error))?;
                if let Err(error) = self.cache.write(&grant, self.secret()) {
                    log::debug!("token not kept on disk: {error}");
                }
                return Ok(grant);
            }
            let error = self.refusal(endpoint, &response);
            if !matches!(response.status, 300 | 404 | 405 | 410) {
                return Err(error);
            }
            // Keystone does not have this version.
            unknown.get_or_insert(error);
        }
        Err(unknown.unwrap_or_else(|| Error::missing("Keystone address", "none is given")))
    }

    fn post(&self, endpoint: &Endpoint, deadline: Deadline) -> Result<Response> {
        let body = message::body(endpoint.version, &self.identity)
            .ok_or_else(|| unsuitable(&endpoint.url, &self.identity))?;
        let deadline = deadline.at_most(REQUEST_TIMEOUT);
        let seconds = deadline.remaining().as_secs_f32();
        let request = Request::new(Method::POST, &endpoint.url, deadline)
            .answered_by(AnswerKind::Token)
            .header("Accept", "application/json")
            .json(&body);
        let service = || service(endpoint);
        let response = self
            .transport
            .send(&request)
            .map_err(|error| error.into_error(service(), &request, seconds))?;
        match response.status {
            408 | 429 | 502..=504 => Err(Error::Unreachable {
                service: service(),
                // A proxy may have answered in place of Keystone.
                effect: Effect::Possible,
                source: format!(
                    "status {}{}",
                    response.status,
                    after_colon(&self.text(&response))
                )
                .into(),
            }),
            _ => Ok(response),
        }
    }

    fn refusal(&self, endpoint: &Endpoint, response: &Response) -> Error {
        let message = self.text(response);
        if matches!(response.status, 401 | 403) {
            return Error::Unauthorized {
                service: service(endpoint),
                rejected: self.identity.claim(),
                status: response.status,
                message,
            };
        }
        Error::Refused {
            service: service(endpoint),
            method: Method::POST,
            path: crate::http::path_of(&endpoint.url),
            status: response.status,
            message,
        }
    }

    /// An error text of Keystone, without the credentials should it repeat them.
    fn text(&self, response: &Response) -> String {
        let response = response.clone().without(self.secret());
        response.text()
    }

    /// The parser's message may hold parts of the answer.
    fn hidden(&self, error: Error) -> Error {
        match error {
            Error::Decode { what, source } => Error::Decode {
                what,
                source: serde_json::Error::custom(self.secret().hide_in(&source.to_string())),
            },
            other => other,
        }
    }

    /// The secret that proves to Keystone who asks.
    fn secret(&self) -> &Secret {
        self.identity.secret()
    }
}

/// The endpoints of the address whose version is wanted and has the identity; at least one.
fn usable(settings: &KeystoneSettings) -> Result<Vec<Endpoint>> {
    let is_wanted = |endpoint: &Endpoint| settings.version.is_none_or(|v| v == endpoint.version);
    let of_address = endpoint::endpoints(&settings.url)?;
    let wanted: Vec<Endpoint> = of_address.into_iter().filter(is_wanted).collect();
    let Some(first) = wanted.first() else {
        let reason = match settings.version {
            Some(Version::V2) => "its version is 3, and version 2.0 is asked for",
            _ => "its version is 2.0, and version 3 is asked for",
        };
        return Err(Error::invalid("Keystone address", &settings.url, reason));
    };
    let error = unsuitable(&first.url, &settings.identity);
    let has_identity = |e: &Endpoint| message::body(e.version, &settings.identity).is_some();
    let usable: Vec<Endpoint> = wanted.into_iter().filter(has_identity).collect();
    match usable.is_empty() {
        true => Err(error),
        false => Ok(usable),
    }
}

fn unsuitable(url: &str, identity: &Identity) -> Error {
    let reason = format!("version 2.0 does not know {}", identity.name());
    Error::invalid("Keystone address", url, reason)
}

impl fmt::Debug for Keystone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keystone")
            .field("identity", &self.identity)
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}

impl TokenSource for Keystone {
    fn token(&self, deadline: Deadline) -> Result<Option<Secret>> {
        self.obtain(None, deadline).map(Some)
    }

    fn refresh(&self, rejected: &Secret, deadline: Deadline) -> Result<Option<Secret>> {
        self.obtain(Some(rejected), deadline).map(Some)
    }

    fn identity(&self) -> String {
        self.identity.name()
    }
}

fn service(endpoint: &Endpoint) -> String {
    let version = match endpoint.version {
        Version::V2 => "v2.0",
        Version::V3 => "v3",
    };
    format!("Keystone {version} {}", endpoint.url)
}

#[cfg(test)]
mod tests {
    use super::super::settings::Credential;
    use super::*;

    #[test]
    fn an_address_of_the_wrong_version_is_refused_before_anything_is_sent() {
        let secret = Secret::new("geheim");
        let password =
            KeystoneSettings::with_password("", "admin", secret.clone(), "demo").identity;
        let credential = Identity::ApplicationCredential {
            credential: Credential::Id("c1".into()),
            secret,
        };
        for (path, version, identity, is_usable) in [
            ("/v2.0", Some(Version::V3), &password, false),
            ("/v3", Some(Version::V2), &password, false),
            ("/v2.0", None, &credential, false),
            ("", Some(Version::V2), &credential, false),
            ("", None, &credential, true),
            ("/v3", Some(Version::V3), &password, true),
        ] {
            let settings = KeystoneSettings {
                url: format!("http://k{path}"),
                version,
                identity: identity.clone(),
            };
            match usable(&settings) {
                Ok(endpoints) => assert!(is_usable && !endpoints.is_empty(), "{settings:?}"),
                Err(error) => {
                    let error = error.to_string();
                    assert!(!is_usable && error.contains("version"), "{error}");
                    assert!(!error.contains("geheim"), "{error}");
                }
            }
        }
    }
}
