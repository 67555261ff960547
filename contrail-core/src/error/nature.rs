//! What an error means for whoever called: whether to try again, and whether there is something to
//! undo.

use super::Error;
use crate::http::TransportError;

impl Error {
    /// The error of an operation of which an earlier attempt may have been carried out: it must not
    /// say that nothing was done.
    pub fn unsure(self) -> Self {
        match self.had_no_effect() {
            true => Self::Unsure {
                cause: Box::new(self),
            },
            false => self,
        }
    }

    /// Whether the same call may succeed later without any change: the other side was down, busy or
    /// too slow.
    pub fn is_transient(&self) -> bool {
        match self {
            // A proxy without the API behind it answers by itself.
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Foreign { .. } => true,
            Self::NoToken { source: cause, .. }
            | Self::Unsure { cause }
            | Self::Undo { cause, .. } => cause.is_transient(),
            Self::Left(errors) => errors.iter().all(Self::is_transient),
            _ => false,
        }
    }

    /// Whether the request that failed is known to have changed nothing: it was refused, or never
    /// left, and so were all earlier attempts of it. Anything else may have been carried out before
    /// its answer got lost.
    pub fn had_no_effect(&self) -> bool {
        match self {
            Self::Refused { status, .. } => *status < 500,
            Self::Foreign { status, .. } => (400..500).contains(status),
            Self::Unreachable { source, .. } => source
                .downcast_ref::<TransportError>()
                .is_some_and(TransportError::nothing_sent),
            Self::Missing { .. }
            | Self::Invalid { .. }
            | Self::NotFound { .. }
            | Self::MissingReference { .. }
            | Self::AlreadyExists { .. }
            | Self::AddressInUse { .. }
            | Self::NoAddress { .. }
            | Self::Unauthorized { .. }
            | Self::NoToken { .. } => true,
            #[cfg(feature = "service-chain")]
            Self::Chain { .. } => true,
            _ => false,
        }
    }

    /// Whether something that was named does not exist, also if a second attempt found that out.
    pub fn is_not_found(&self) -> bool {
        matches!(
            self.cause(),
            Self::NotFound { .. } | Self::MissingReference { .. }
        )
    }

    /// Whether the user has no right to what was asked for: trying again does not help, and must keep no
    /// container.
    pub fn is_forbidden(&self) -> bool {
        matches!(self.cause(), Self::Refused { status: 403, .. })
    }

    /// The error that made the operation fail, below what else is said about it: a failed undo, an
    /// earlier attempt, the request that the token was for.
    pub fn cause(&self) -> &Error {
        match self {
            Self::NoToken { source: cause, .. }
            | Self::Unsure { cause }
            | Self::Undo { cause, .. } => cause.cause(),
            Self::Left(errors) => errors.first().map_or(self, Self::cause),
            other => other,
        }
    }
}
