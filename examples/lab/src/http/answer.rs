//! From a response value to hyper's response, also to one that breaks off.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::ext::ReasonPhrase;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use super::Response;
use super::by_hand::ByHand;

/// A body that is sent in one piece, and perhaps broken off half-way.
pub(super) struct Answer {
    data: Option<Bytes>,
    announced: u64,
    broken: bool,
    flushed: bool,
}

/// Why hyper does not send (the rest of) an answer: a fault was requested.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("the connection is dropped on demand")]
    Dropped,
    #[error("the answer is sent by hand")]
    ByHand(ByHand),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.data.take() {
            Some(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
            None if self.broken && !self.flushed => {
                // hyper flushes what it has when there is nothing more for now.
                self.flushed = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            None if self.broken => Poll::Ready(Some(Err(Broken::Dropped))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && !self.broken
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}

/// The response for hyper. `broken` announces the whole body and sends half of it.
pub(super) fn answer(response: Response, broken: bool) -> hyper::Response<Answer> {
    let announced = response.body.len() as u64;
    let mut body = response.body;
    if response.is_cut {
        body.clear();
    } else if broken {
        body.truncate(body.len() / 2);
    }
    let broken = broken || response.is_cut;
    let data = (!body.is_empty()).then(|| Bytes::from(body));
    let mut answer = hyper::Response::new(Answer {
        data,
        announced,
        broken,
        flushed: false,
    });
    // A status outside 100..=999 can only come from a fault rule.
    *answer.status_mut() = hyper::StatusCode::from_u16(response.status)
        .unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    if !response.reason.is_empty() {
        let reason = ReasonPhrase::from_static(response.reason.as_bytes());
        answer.extensions_mut().insert(reason);
    }
    for (name, value) in response.headers {
        let name = HeaderName::try_from(name);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            answer.headers_mut().append(name, value);
        }
    }
    answer
}

/// Replaces the content type of an answer.
pub(super) fn set_content_type(response: &mut Response, content_type: &str) {
    let name = CONTENT_TYPE.as_str();
    response
        .headers
        .retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    response
        .headers
        .push(("Content-Type".into(), content_type.into()));
}
