//! What an error means for the caller: whether to try again, and whether there is something to undo.

use super::variants::Error;

impl Error {
    /// The error of an operation of which an earlier attempt may have succeeded: it must not
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
            // Too many requests, or the word of a proxy.
            Self::Refused {
                status: 429 | 502..=504,
                ..
            } => true,
            Self::NoToken { source: cause, .. } | Self::Unsure { cause } => cause.is_transient(),
            Self::Refused { .. }
            | Self::Missing { .. }
            | Self::Invalid(_)
            | Self::NotFound { .. }
            | Self::MissingReference { .. }
            | Self::NoId { .. }
            | Self::AlreadyExists { .. }
            | Self::InUse { .. }
            | Self::AddressInUse { .. }
            | Self::NoAddress { .. }
            | Self::Unauthorized { .. }
            | Self::Decode { .. }
            | Self::Agent { .. }
            | Self::Encode { .. }
            | Self::System { .. }
            | Self::File { .. }
            | Self::Panicked { .. }
            | Self::Misconfigured { .. } => false,
        }
    }

    /// Whether the request that failed is known to have changed nothing: it was refused, or never
    /// left, and so were all earlier attempts of it. Anything else may have been carried out before
    /// its answer got lost.
    pub fn had_no_effect(&self) -> bool {
        match self {
            Self::Refused { status, .. } => *status < 500,
            Self::Foreign { status, .. } => (400..500).contains(status),
            Self::Unreachable { effect, .. } => effect.is_excluded(),
            Self::Missing { .. }
            | Self::Invalid(_)
            | Self::NotFound { .. }
            | Self::MissingReference { .. }
            | Self::AlreadyExists { .. }
            // A deletion was refused.
            | Self::InUse { .. }
            | Self::AddressInUse { .. }
            | Self::NoAddress { .. }
            | Self::Unauthorized { .. }
            | Self::NoToken { .. }
            | Self::Misconfigured { .. } => true,
            // The other side may have acted before its answer was lost or not understood.
            Self::Timeout { .. }
            | Self::NoId { .. }
            | Self::Decode { .. }
            | Self::Agent { .. }
            | Self::Unsure { .. } => false,
            // Whether a request was sent before is not known here.
            Self::Encode { .. }
            | Self::System { .. }
            | Self::File { .. }
            | Self::Panicked { .. } => false,
        }
    }

    /// Whether something that was named does not exist, also if a second attempt found that out.
    pub fn is_not_found(&self) -> bool {
        matches!(
            self.cause(),
            Self::NotFound { .. } | Self::MissingReference { .. }
        )
    }

    /// Whether the user lacks the right to do this: another attempt does not help, and the removal of a
    /// container must not fail for it.
    pub fn is_forbidden(&self) -> bool {
        matches!(self.cause(), Self::Refused { status: 403, .. })
    }

    /// The error that made the operation fail, without what wraps it: that an earlier attempt may have
    /// been carried out, or the request that needed the token.
    pub fn cause(&self) -> &Error {
        match self {
            Self::NoToken { source: cause, .. } | Self::Unsure { cause } => cause.cause(),
            other => other,
        }
    }
}
