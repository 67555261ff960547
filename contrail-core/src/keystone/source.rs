//! Sources of tokens.

use crate::error::{Error, Result};
use crate::values::{Deadline, Secret};

/// Where the configuration API's tokens come from.
pub trait TokenSource: Send + Sync {
    /// A token that should be valid, or `None` if the API needs none.
    ///
    /// # Errors
    /// If one is needed and cannot be obtained.
    fn token(&self, deadline: Deadline) -> Result<Option<Secret>>;

    /// A replacement for a token that the API rejected; `None` if there is no other.
    ///
    /// # Errors
    /// If another one cannot be obtained.
    fn refresh(&self, rejected: &Secret, deadline: Deadline) -> Result<Option<Secret>>;

    /// The user of the tokens, for error messages.
    fn identity(&self) -> String;
}

/// The API needs no token (`aaa_mode = no-auth`).
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
        "no user (no token was sent)".to_owned()
    }
}

/// No token can be had, for this reason: no request is sent.
#[derive(Clone, Debug)]
pub struct NoToken(pub String);

impl TokenSource for NoToken {
    fn token(&self, _deadline: Deadline) -> Result<Option<Secret>> {
        let unusable = Error::missing("usable settings", self.0.as_str());
        Err(Error::NoToken {
            service: "configuration API".to_owned(),
            source: Box::new(unusable),
        })
    }

    fn refresh(&self, _rejected: &Secret, deadline: Deadline) -> Result<Option<Secret>> {
        self.token(deadline)
    }

    fn identity(&self) -> String {
        "no user (the settings cannot be used)".to_owned()
    }
}

/// A given token, which is never renewed.
///
/// ```
/// use std::time::Duration;
/// use contrail_core::keystone::{FixedToken, TokenSource};
/// use contrail_core::{Deadline, Secret};
///
/// let source = FixedToken(Secret::new("sesame"));
/// let deadline = Deadline::after(Duration::from_secs(1));
/// let token = source.token(deadline)?.ok_or("no token")?;
/// assert_eq!(token.expose(), "sesame");
/// assert_eq!(source.refresh(&token, deadline)?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
