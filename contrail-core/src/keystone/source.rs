//! Sources of tokens.

use crate::error::Result;
use crate::values::{Deadline, Secret};

/// Where the configuration API's tokens come from.
pub trait TokenSource: Send + Sync {
    /// A token that should be valid, or none when the API wants none.
    ///
    /// # Errors
    /// When one is needed and cannot be had.
    fn token(&self, deadline: Deadline) -> Result<Option<Secret>>;

    /// A token in the place of one that the API did not accept; none when there is no other.
    ///
    /// # Errors
    /// When another one cannot be had.
    fn refresh(&self, rejected: &Secret, deadline: Deadline) -> Result<Option<Secret>>;

    /// Whose tokens these are, for error messages.
    fn identity(&self) -> String;
}

/// The API wants no token (`aaa_mode = no-auth`).
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAuth;

impl TokenSource for NoAuth {
    fn token(&self, _deadline: Deadline) -> Result<Option<Secret>> {
        Ok(None)
    }

    fn refresh(&self, _rejected: &Secret, _deadline: Deadline) -> Result<Option<Secret>> {
        Ok(None)
    }

    fn identity(&self) -> String {
        "nobody (no token was sent)".to_owned()
    }
}

/// A token that was given.
#[derive(Clone, Debug)]
pub struct FixedToken(pub Secret);

impl TokenSource for FixedToken {
    fn token(&self, _deadline: Deadline) -> Result<Option<Secret>> {
        Ok(Some(self.0.clone()))
    }

    fn refresh(&self, _rejected: &Secret, _deadline: Deadline) -> Result<Option<Secret>> {
        Ok(None)
    }

    fn identity(&self) -> String {
        "the given token".to_owned()
    }
}
