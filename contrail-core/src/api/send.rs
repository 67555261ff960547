//! Sending a request: choice of the server, token, repetition.

use std::sync::atomic::Ordering;

use super::answer::Answer;
use super::client::Client;
use super::request::{ApiRequest, Repeatability};
use crate::error::{Error, Result, quoted, report};
use crate::http::{Effect, Request, Response, Server};
use crate::values::Deadline;
use crate::values::Secret;

/// The text of a server that answers but cannot do its work.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unable(String);

/// The outcome of one attempt.
enum Attempt {
    Answered(Response),
    Failed(Failed),
}

/// A failed attempt: another server may succeed.
struct Failed {
    error: Error,
    /// Whether the request may have been carried out.
    had_effect: bool,
    /// Whether the connection broke, so that the same server may answer over a new one.
    lost: bool,
}

impl Client {
    /// Sends a request to the server that answered last, or to the next one that answers.
    ///
    /// # Errors
    /// [`Error::had_no_effect`] is true only if no attempt can have had an effect on any server.
    pub(super) fn send(&self, request: &ApiRequest) -> Result<Answer> {
        let mut unsure = false;
        self.send_to_any(request, &mut unsure)
            .map_err(|error| if unsure { error.unsure() } else { error })
    }

    /// Sets `unsure` if an attempt may have been carried out and its answer was lost.
    fn send_to_any(&self, request: &ApiRequest, unsure: &mut bool) -> Result<Answer> {
        let shared = &self.shared;
        let deadline = self.deadline.unwrap_or_else(|| {
            let servers = shared.servers.len().max(1) as u32;
            Deadline::after(shared.request_timeout * servers)
        });
        let mut token = shared
            .tokens
            .token(deadline)
            .map_err(|error| self.no_token(error))?;
        let (mut failure, mut lost) = (None, false);
        // The server may have been closing a connection that broke, or restarting: it may answer over a
        // new one.
        for (index, reuse) in self
            .order()
            .flat_map(|index| [(index, true), (index, false)])
        {
            let is_again = !reuse;
            if is_again && !lost {
                continue;
            }
            if failure.is_some() && deadline.has_passed() {
                break;
            }
            let server = &shared.servers[index];
            let reuse = reuse && request.repeatability != Repeatability::Once;
            let failed = match self.attempt((server, reuse), request, &mut token, deadline)? {
                Attempt::Answered(response) => {
                    shared.preferred.store(index, Ordering::Relaxed);
                    let service = service(server);
                    let reading = (*unsure, deadline);
                    return Ok(Answer::new(response, service, request, token, reading));
                }
                Attempt::Failed(failed) => failed,
            };
            let error = failed.error;
            log::debug!("{} {}: {}", request.method, request.path, report(&error));
            let had_effect = failed.had_effect && request.repeatability != Repeatability::Safe;
            if had_effect
                && matches!(
                    request.repeatability,
                    Repeatability::Once | Repeatability::OneAtATime
                )
            {
                return Err(error);
            }
            *unsure |= had_effect;
            failure = Some(error);
            lost = failed.lost;
        }
        Err(self.all_failed(failure))
    }

    /// The servers in the order of this call.
    fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let count = self.shared.servers.len();
        let first = self.shared.preferred.load(Ordering::Relaxed);
        (0..count).map(move |step| (first + step) % count)
    }

    /// Asks one server, over a reused connection or not, and once more with a new token if it does not
    /// accept the current one.
    fn attempt(
        &self,
        (server, reuse): (&Server, bool),
        request: &ApiRequest,
        token: &mut Option<Secret>,
        deadline: Deadline,
    ) -> Result<Attempt> {
        let tokens = &self.shared.tokens;
        let response = match self.exchange((server, reuse), request, token.as_ref(), deadline) {
            Attempt::Answered(response) if response.status == 401 => response,
            other => return Ok(other),
        };
        let fresh = match token.as_ref() {
            Some(rejected) => tokens
                .refresh(rejected, deadline)
                .map_err(|error| self.no_token(error))?,
            None => None,
        };
        if fresh.is_none() || fresh == *token {
            return Err(self.unauthorized(server, &response));
        }
        *token = fresh;
        match self.exchange((server, reuse), request, token.as_ref(), deadline) {
            Attempt::Answered(response) if response.status == 401 => {
                Err(self.unauthorized(server, &response))
            }
            other => Ok(other),
        }
    }

    fn exchange(
        &self,
        (server, reuse): (&Server, bool),
        request: &ApiRequest,
        token: Option<&Secret>,
        deadline: Deadline,
    ) -> Attempt {
        let deadline = deadline.at_most(self.shared.request_timeout);
        let seconds = deadline.remaining().as_secs_f32();
        let url = server.base_url() + &request.target();
        let mut http = Request::new(request.method.clone(), url, deadline)
            .answered_by(request.answer)
            .header("User-Agent", &self.shared.user_agent)
            .header("X-Contrail-Useragent", &self.shared.user_agent);
        http.reuse = reuse;
        if let Some(token) = token {
            http = http.header("X-Auth-Token", token.expose());
        }
        if let Some(body) = &request.body {
            http = http.json(body);
        }
        match self.shared.transport.send(&http) {
            Ok(response) => answered(
                (server, reuse),
                match token {
                    Some(token) => response.without(token),
                    None => response,
                },
            ),
            Err(error) => Attempt::Failed(Failed {
                had_effect: !error.effect().is_excluded(),
                lost: error.effect() == Effect::Interrupted,
                error: error.into_error(service(server), &http, seconds),
            }),
        }
    }

    fn unauthorized(&self, server: &Server, response: &Response) -> Error {
        Error::Unauthorized {
            service: service(server),
            rejected: format!("the token of {}", quoted(&self.shared.tokens.identity())),
            status: response.status,
            message: response.text(),
        }
    }

    /// The error of a request for a token. In any case, nothing was sent to the API.
    fn no_token(&self, error: Error) -> Error {
        match error.had_no_effect() {
            true => error,
            false => Error::NoToken {
                service: self.services(),
                source: Box::new(error),
            },
        }
    }

    fn services(&self) -> String {
        let servers: Vec<_> = self.shared.servers.iter().map(Server::base_url).collect();
        format!("configuration API {}", servers.join(", "))
    }

    /// The error of the whole call, from the one of the last attempt.
    fn all_failed(&self, last: Option<Error>) -> Error {
        match last {
            Some(Error::Unreachable { effect, source, .. }) => Error::Unreachable {
                service: self.services(),
                effect,
                source,
            },
            Some(error) => error,
            None => Error::missing(
                "address of the configuration API",
                "at least one server is needed",
            ),
        }
    }
}

/// Treats the statuses of a server that cannot do its work as failures. 503 and 408 (the name service is
/// busy) are sent before anything is done; a proxy sends 502 and 504 without knowing.
fn answered((server, reuse): (&Server, bool), response: Response) -> Attempt {
    if !matches!(response.status, 408 | 502 | 503 | 504) {
        return Attempt::Answered(response);
    }
    let effect = match response.status {
        502 | 504 => Effect::Possible,
        _ => Effect::None,
    };
    Attempt::Failed(Failed {
        error: Error::Unreachable {
            service: service(server),
            effect,
            source: Box::new(Unable(response.explained())),
        },
        had_effect: !effect.is_excluded(),
        // On a reused connection it may be a proxy that reports an idle timeout.
        lost: reuse && response.status == 408,
    })
}

fn service(server: &Server) -> String {
    format!("configuration API {}", server.base_url())
}
