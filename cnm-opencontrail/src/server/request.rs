//! One HTTP exchange: the request's body within limits, the answer as Docker expects it.

use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

use super::limits::Limits;
use crate::error::{Error, Result};
use crate::proto::{Call, Failure, Reply};

/// The body of an answer.
pub(super) type Body = Full<Bytes>;

/// Whether a body is large, or does not tell its length.
pub(super) fn may_be_large(body: &Incoming, limits: &Limits) -> bool {
    let most = body.size_hint().upper();
    most.is_none_or(|length| length > limits.small as u64)
}

/// Reads a request. `Host` and `Content-Type` are ignored: Docker leaves the first empty or puts a path
/// there, and never sends the second.
pub(super) async fn read(head: &Parts, body: Incoming, limits: &Limits) -> Result<Call> {
    let collected = tokio::time::timeout(limits.arrival, collect(body, limits.body));
    let body = collected.await.map_err(|_| Error::TooSlow {
        seconds: limits.arrival.as_secs(),
    })??;
    if head.method != Method::POST {
        return Err(Error::UnknownMethod {
            path: format!("{} {}", head.method, head.uri.path()),
            is_protocol: false,
        });
    }
    Call::parse(head.uri.path(), &body)
}

/// The whole body. What exceeds the limit is read and dropped: a client that is still writing would not
/// see the answer.
async fn collect(mut body: Incoming, limit: usize) -> Result<Vec<u8>> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut too_large = expected > limit;
    let mut whole = Vec::with_capacity(if too_large { 0 } else { expected });
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|source| Error::Broken { source })?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        too_large |= whole.len() + data.len() > limit;
        if too_large {
            whole = Vec::new();
        } else {
            whole.extend_from_slice(data);
        }
    }
    if too_large {
        return Err(Error::TooLarge { limit });
    }
    Ok(whole)
}

/// The answer: 200 with the reply, or the error's status with its whole chain of causes.
pub(super) fn response(result: Result<Reply>) -> hyper::Response<Body> {
    let (status, body) = match result {
        Ok(reply) => (200, serde_json::to_vec(&reply)),
        Err(error) => (
            error.status(),
            serde_json::to_vec(&Failure::new(contrail_core::error::report(&error))),
        ),
    };
    // Replies are plain data with string keys; an empty object is what Docker reads as done.
    let body = body.unwrap_or_else(|_| b"{}".to_vec());
    let mut response = hyper::Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/vnd.docker.plugins.v1.2+json"),
    );
    response
}
