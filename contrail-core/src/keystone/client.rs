//! Keystone as a source of tokens: asked once, shared by threads and processes.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::de::Error as _;

use super::cache::{NoLock, TokenCache};
use super::endpoint::{self, Endpoint, Version};
use super::message::{self, Grant, Proof};
use super::settings::KeystoneSettings;
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
    settings: KeystoneSettings,
    proof: Proof,
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
        let endpoints = endpoint::endpoints(&settings.url)?;
        let account = [
            endpoints[0].url.as_str(),
            &settings.user,
            &settings.project,
            &settings.user_domain,
            &settings.project_domain,
        ];
        let cache = TokenCache::new(cache_dir, &account);
        Ok(Self {
            transport,
            proof: Proof::Password,
            endpoints,
            cache,
            settings,
            current: Mutex::new(None),
        })
    }

    /// The same source with a token of the user instead of the password, to be exchanged for one of
    /// the project.
    pub fn with_token(self, token: Secret) -> Self {
        Self {
            proof: Proof::Token(token),
            ..self
        }
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
        let body = message::body(endpoint.version, &self.settings, &self.proof);
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
                user: self.identity(),
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
        match &self.proof {
            Proof::Password => &self.settings.password,
            Proof::Token(token) => token,
        }
    }
}

impl fmt::Debug for Keystone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keystone")
            .field("settings", &self.settings)
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
        self.settings.user.clone()
    }
}

fn service(endpoint: &Endpoint) -> String {
    let version = match endpoint.version {
        Version::V2 => "v2.0",
        Version::V3 => "v3",
    };
    format!("Keystone {version} {}", endpoint.url)
}
