//! The real transport: HTTP/1.1 over TCP and TLS, by ureq.

use std::io::{self, Read as _};
use std::time::Duration;

use ureq::http::{HeaderValue, Method, Request as HttpRequest, Response as HttpResponse};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::{Agent, AsSendBody, Body, Error as UreqError};

use super::connect::{Connect, NotSent, Resolve};
use super::mismatch;
use super::request::Request;
use super::response::Response;
use super::tls::TlsSettings;
use super::transport::{Transport, TransportError};
use crate::error::{Result, report, visible};

/// The buffer for answers, in bytes: enough for any head. ureq fills its buffers with zeros for each
/// connection, which takes longer than the rest of the request when they are large.
const INPUT_BUFFER: usize = 16 * 1024;

/// The buffer for requests: the longest header, which is a token, must fit.
const OUTPUT_BUFFER: usize = 32 * 1024;

/// The longest idle time of a connection. Connections are for the requests of one call: after a longer
/// pause the server may have closed silently, which a new connection notices sooner.
const MAX_IDLE_TIME: Duration = Duration::from_secs(1);

/// The most idle connections to one server: as many as an attach uses at once.
const MAX_IDLE: usize = 3;

/// HTTP as this crate's services need it.
///
/// Requests that [allow it](Request::reuse) reuse connections within a second. Servers with several
/// workers close theirs silently after each answer: a connection that is found closed is not used. The
/// proxy variables of the environment are ignored.
#[derive(Debug, Clone)]
pub struct Http {
    agent: Agent,
    connect_timeout: Duration,
}

impl Http {
    /// A transport that gives a server `connect_timeout` to accept a connection and agree on TLS.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) if a TLS file cannot be read;
    /// [`Error::Invalid`](crate::Error::Invalid) if its content cannot be used.
    ///
    /// ```
    /// use std::time::Duration;
    /// use contrail_core::http::{Http, TlsSettings};
    ///
    /// let tls = TlsSettings { ca: Some("/nonexistent/ca.pem".into()), ..TlsSettings::default() };
    /// let error = Http::new(&tls, Duration::from_secs(2)).unwrap_err();
    /// assert!(error.to_string().contains("/nonexistent/ca.pem"));
    /// ```
    pub fn new(tls: &TlsSettings, connect_timeout: Duration) -> Result<Self> {
        let config = Agent::config_builder()
            .tls_config(tls.load()?)
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .accept_encoding("identity")
            .user_agent(concat!("contrail-core/", env!("CARGO_PKG_VERSION")))
            .max_idle_connections_per_host(MAX_IDLE)
            .max_idle_age(MAX_IDLE_TIME)
            .max_response_header_size(INPUT_BUFFER)
            .input_buffer_size(INPUT_BUFFER)
            .output_buffer_size(OUTPUT_BUFFER)
            .build();
        let connect = Connect::new(config.clone());
        let resolve = Resolve(DefaultResolver::default());
        Ok(Self {
            agent: Agent::with_parts(config, connect, resolve),
            connect_timeout,
        })
    }

    fn run(
        &self,
        request: &Request,
        body: impl AsSendBody,
        time: Duration,
    ) -> Result<HttpResponse<Body>, TransportError> {
        let connect = self.connect_timeout.min(time);
        let mut config = self
            .agent
            .configure_request(message(request, body)?)
            .timeout_global(Some(time))
            .timeout_resolve(Some(connect))
            .timeout_connect(Some(connect));
        if !request.reuse {
            config = config.max_idle_age(Duration::ZERO);
        }
        self.agent.run(config.build()).map_err(failure)
    }

    fn exchange(&self, request: &Request) -> Result<Response, TransportError> {
        let left = request.deadline.remaining();
        if left.is_zero() {
            return Err(TransportError::Timeout { sent: false });
        }
        let body = request.body.as_deref().unwrap_or_default();
        let answer = match request.method {
            Method::GET | Method::DELETE => self.run(request, (), left),
            // With a known length always: the API server refuses chunks.
            _ => self.run(request, body, left),
        };
        let (parts, body) = answer?.into_parts();
        let body = read(body, parts.status.is_success(), request)?;
        let headers = parts.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), visible(&value))
        });
        Ok(Response {
            status: parts.status.as_u16(),
            headers: headers.collect(),
            body,
        })
    }
}

impl Transport for Http {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let started = std::time::Instant::now();
        let outcome = self.exchange(request);
        let milliseconds = started.elapsed().as_millis();
        match &outcome {
            Ok(response) => log::debug!("{request:?}: {response:?} after {milliseconds} ms"),
            Err(error) => log::debug!("{request:?}: {} after {milliseconds} ms", report(error)),
        }
        outcome
    }
}

/// The longest body of an answer that says no, in bytes. What is beyond it is not read.
const MAX_ERROR: u64 = 64 << 10;

/// The most memory that is set aside for a body before it has arrived, in bytes.
const FIRST_PART: usize = 64 << 10;

/// The body of an answer, as far as its kind allows: of one that says no the beginning, of one that is too
/// large nothing.
fn read(mut body: Body, is_success: bool, request: &Request) -> Result<Vec<u8>, TransportError> {
    let limit = request.answer.max_bytes();
    let announced = body.content_length();
    let too_large = || TransportError::TooLarge { limit };
    if is_success && announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let most = if is_success {
        limit as u64 + 1
    } else {
        MAX_ERROR
    };
    let expected = announced.map_or(0, |length| length.min(FIRST_PART as u64) as usize);
    let mut whole = Vec::with_capacity(expected);
    let reader = body.with_config().limit(u64::MAX).reader();
    let outcome = reader.take(most).read_to_end(&mut whole);
    outcome.map_err(|error| failure(UreqError::from(error)))?;
    match is_success && whole.len() > limit {
        true => Err(too_large()),
        false => Ok(whole),
    }
}

fn message<B>(request: &Request, body: B) -> Result<HttpRequest<B>, TransportError> {
    let mut builder = HttpRequest::builder()
        .method(&request.method)
        .uri(&request.url);
    for (name, value) in &request.headers {
        let mut value = HeaderValue::from_str(value).map_err(|_| TransportError::Malformed {
            reason: format!("the value of {name} holds a control character"),
        })?;
        value.set_sensitive(name.contains("Token"));
        builder = builder.header(*name, value);
    }
    builder
        .body(body)
        .map_err(|error| TransportError::Malformed {
            reason: error.to_string(),
        })
}

/// What an error of ureq says about the request's effect. Whatever [`Connect`] and [`Resolve`] did
/// not mark happened when the request was on its way.
fn failure(error: UreqError) -> TransportError {
    let error = match error {
        UreqError::Other(error) => match error.downcast::<NotSent>() {
            Ok(not_sent) => {
                return match mismatch::of(&not_sent.0) {
                    Some(mismatch) => mismatch.into(),
                    None => connect_failure(not_sent.0),
                };
            }
            Err(error) => UreqError::Other(error),
        },
        error => error,
    };
    if let Some(mismatch) = mismatch::of_sent(&error) {
        return mismatch.into();
    }
    match error {
        UreqError::Other(source) => TransportError::Lost { source },
        UreqError::Timeout(_) => TransportError::Timeout { sent: true },
        UreqError::BadUri(_) | UreqError::Http(_) => TransportError::Malformed {
            reason: error.to_string(),
        },
        UreqError::Io(source) => TransportError::Lost {
            source: Box::new(source),
        },
        other => TransportError::Lost {
            source: Box::new(other),
        },
    }
}

fn connect_failure(error: UreqError) -> TransportError {
    let source: Box<dyn std::error::Error + Send + Sync> = match error {
        UreqError::Io(source) => Box::new(source),
        UreqError::Timeout(_) => Box::new(io::Error::from(io::ErrorKind::TimedOut)),
        other => Box::new(other),
    };
    TransportError::Connect { source }
}
