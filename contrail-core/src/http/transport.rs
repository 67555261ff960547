//! The seam that carries requests, and what can go wrong on the way.

use std::error::Error as StdError;

use serde::de::Error as _;

use super::mismatch::Mismatch;
use super::request::Request;
use super::response::Response;
use super::url::path_of;
use crate::error::Error;
use crate::values::Effect;

/// Carries requests: the seam between this crate and the network.
///
/// ```
/// use contrail_core::http::{Request, Response, Transport, TransportError};
///
/// /// Counts the requests of another transport.
/// struct Counted<T>(T, std::sync::atomic::AtomicUsize);
///
/// impl<T: Transport> Transport for Counted<T> {
///     fn send(&self, request: &Request) -> Result<Response, TransportError> {
///         self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
///         self.0.send(request)
///     }
/// }
/// ```
pub trait Transport: Send + Sync {
    /// Sends one request and reads the whole answer, whatever its status, within the request's
    /// deadline. Never repeats a request and never follows a redirect.
    ///
    /// # Errors
    /// A [`TransportError`] that tells whether the request may have had an effect.
    fn send(&self, request: &Request) -> Result<Response, TransportError>;
}

/// Why there is no usable answer. The [effect](TransportError::effect) decides whether the request may be
/// sent again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// No connection or no TLS session could be established: nothing was sent.
    #[error("cannot connect")]
    Connect {
        /// Why.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The server is there and does not work as it is configured here. The request was not carried out.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// The request was sent at least in part and no complete answer arrived.
    #[error("the connection broke before the whole answer came")]
    Lost {
        /// Why.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The deadline passed.
    #[error("no answer in time")]
    Timeout {
        /// Whether the request may have arrived.
        sent: bool,
    },
    /// The answer is larger than its [kind](super::AnswerKind) allows.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The request cannot be expressed in HTTP: a bad URL, or a control character in a header.
    #[error("the request cannot be sent: {reason}")]
    Malformed {
        /// Why; never holds a header's value.
        reason: String,
    },
}

impl TransportError {
    /// What the request may have changed.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Connect { .. }
            | Self::Mismatch(_)
            | Self::Timeout { sent: false }
            | Self::Malformed { .. } => Effect::NotSent,
            Self::Timeout { sent: true } | Self::TooLarge { .. } => Effect::Possible,
            Self::Lost { .. } => Effect::Interrupted,
        }
    }

    /// Whether the other side certainly never saw the request.
    pub fn nothing_sent(&self) -> bool {
        self.effect() == Effect::NotSent
    }

    /// This error as the outcome of `request` to `service` ("Keystone http://10.0.0.1:5000").
    /// `seconds` is the time limit of the exchange.
    pub fn into_error(self, service: String, request: &Request, seconds: f32) -> Error {
        let path = path_of(&request.url);
        match self {
            Self::Timeout { sent: true } => Error::Timeout {
                operation: format!("{} {path} of {service}", request.method),
                seconds,
            },
            Self::TooLarge { .. } => Error::Decode {
                what: format!("the answer of {service} to {} {path}", request.method),
                source: serde_json::Error::custom(self),
            },
            Self::Malformed { reason } => Error::invalid("request to", service, reason),
            Self::Mismatch(mismatch) => Error::Misconfigured {
                service,
                source: Box::new(mismatch),
            },
            Self::Connect { .. } | Self::Lost { .. } | Self::Timeout { sent: false } => {
                Error::Unreachable {
                    service,
                    effect: self.effect(),
                    source: Box::new(self),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::values::Method;

    use super::*;
    use crate::values::Deadline;

    #[test]
    fn each_outcome_becomes_the_error_that_tells_what_to_do() {
        let request = Request::new(
            Method::GET,
            "http://h:1/x?y=1",
            Deadline::after(Duration::from_secs(1)),
        );
        let into = |error: TransportError| error.into_error("API h".into(), &request, 1.0);
        let io = || Box::new(std::io::Error::other("reset"));
        assert!(into(TransportError::Connect { source: io() }).is_transient());
        assert!(into(TransportError::Lost { source: io() }).is_transient());
        let timeout = into(TransportError::Timeout { sent: true });
        assert_eq!(timeout.to_string(), "GET /x of API h timed out after 1 s");
        assert!(matches!(
            into(TransportError::TooLarge { limit: 1 }),
            Error::Decode { .. }
        ));
    }
}
