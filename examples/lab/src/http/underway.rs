//! Requests that other ones can overtake: they are answered in several steps.

use std::time::Duration;

use super::{Request, Response};

/// What follows from a step of a request.
pub enum Step {
    /// The answer.
    Answered(Response),
    /// The request is still under way, and its next step comes after this time. Other requests are
    /// handled meanwhile: at least those that have arrived by now.
    After(Duration, Box<dyn Underway>),
}

/// A request that has begun. Dropping it gives it up.
pub trait Underway: Send {
    /// Takes the next step.
    fn next(self: Box<Self>, request: &Request) -> Step;
}

impl Step {
    /// Takes all steps without waiting between them.
    pub fn finish(self, request: &Request) -> Response {
        match self {
            Self::Answered(response) => response,
            Self::After(_, underway) => underway.next(request).finish(request),
        }
    }
}
