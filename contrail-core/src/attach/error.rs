//! What can go wrong with attaching and detaching: the errors of all layers below, and what only an
//! attachment can fail at.

use crate::error::{self, Behind, Layered};
use crate::kernel;
use crate::service_chain;
use crate::values::text::{report, reports};
use crate::values::{FqName, Invalid};

/// The result of an operation of this layer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. Exhaustive on purpose, as [`crate::Error`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration API, Keystone, the agent or a file could not be used.
    #[error(transparent)]
    Client(#[from] error::Error),

    /// The kernel could not be used.
    #[error(transparent)]
    Kernel(#[from] kernel::Error),

    /// The interface cannot have its part in a service chain. An error of the API while it gets it is
    /// [`Error::Client`].
    #[error(transparent)]
    ServiceChain(service_chain::Error),

    /// An existing virtual network has other subnets than the configuration asks for.
    #[error(
        "virtual network {network} has {existing}, but the configuration asks for {wanted}: change one of them or use another network name"
    )]
    NetworkMismatch {
        /// The network.
        network: FqName,
        /// The contradicting value that it has.
        existing: String,
        /// The value that the configuration asks for.
        wanted: String,
    },

    /// An operation failed and what it had done could not be undone entirely.
    #[error("{}; the rollback is incomplete: {}", report(.cause.as_ref()), reports(.left))]
    Undo {
        /// Why the operation failed.
        cause: Box<Error>,
        /// One error for each step that could not be undone.
        left: Vec<Error>,
    },

    /// Several of the things that were to be removed still exist.
    #[error("{}", reports(.0))]
    Left(
        /// One error for each of them, at least one.
        Vec<Error>,
    ),
}

impl From<service_chain::Error> for Error {
    fn from(error: service_chain::Error) -> Self {
        match error {
            service_chain::Error::Client(error) => Self::Client(error),
            error => Self::ServiceChain(error),
        }
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Client(invalid.into())
    }
}

impl Layered for Error {
    fn behind(&self) -> Behind<'_, Self> {
        match self {
            Self::Undo { cause, .. } => Behind::Same(cause),
            Self::Left(errors) => errors.first().map_or(Behind::Nothing, Behind::Same),
            Self::Client(error) => Behind::Client(error),
            Self::ServiceChain(error) => {
                error.client_cause().map_or(Behind::Nothing, Behind::Client)
            }
            Self::Kernel(_) | Self::NetworkMismatch { .. } => Behind::Nothing,
        }
    }
}

impl Error {
    /// As [`error::Error::is_transient`].
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Client(error) => error.is_transient(),
            Self::Kernel(error) => error.is_transient(),
            Self::ServiceChain(error) => error.is_transient(),
            Self::Undo { cause, .. } => cause.is_transient(),
            Self::Left(errors) => errors.iter().all(Self::is_transient),
            Self::NetworkMismatch { .. } => false,
        }
    }

    /// As [`error::Error::had_no_effect`].
    pub fn had_no_effect(&self) -> bool {
        match self {
            Self::Client(error) => error.had_no_effect(),
            Self::Kernel(error) => error.had_no_effect(),
            Self::ServiceChain(error) => error.had_no_effect(),
            Self::NetworkMismatch { .. } | Self::Undo { .. } | Self::Left(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error as ClientError;

    fn timeout(operation: &str, seconds: f32) -> Error {
        let operation = operation.to_owned();
        ClientError::Timeout { operation, seconds }.into()
    }

    fn missing(what: &str) -> Error {
        ClientError::missing(what, "add it").into()
    }

    #[test]
    fn a_failed_undo_keeps_the_first_error_and_its_nature() {
        let error = Error::Undo {
            cause: Box::new(timeout("attaching eth0", 20.0)),
            left: vec![missing("a")],
        };
        assert!(error.is_transient() && !error.had_no_effect());
        let cause = error.client_cause();
        assert!(matches!(cause, Some(ClientError::Timeout { .. })));
        assert!(report(&error).starts_with("attaching eth0 timed out after 20 s; "));
    }

    #[test]
    fn what_is_left_is_reported_once_for_each_reason() {
        let error = Error::Left(vec![
            missing("room"),
            timeout("asking", 1.0),
            missing("room"),
        ]);
        assert_eq!(
            report(&error),
            "room is missing: add it; asking timed out after 1 s"
        );
        let cause = error.client_cause();
        assert!(matches!(cause, Some(ClientError::Missing { .. })));
        assert!(!error.is_transient());
    }

    #[test]
    fn a_wrapped_cause_keeps_its_own_causes() {
        let cause = || ClientError::Unreachable {
            service: "API h".into(),
            effect: crate::http::Effect::Possible,
            source: "connection refused".into(),
        };
        let undo = Error::Undo {
            cause: Box::new(cause().into()),
            left: Vec::new(),
        };
        let told = "cannot reach API h: connection refused; ";
        assert!(report(&undo).starts_with(told), "{undo}");
    }

    #[test]
    fn an_error_of_the_api_is_one_of_the_client_wherever_it_happened() {
        let in_chain = service_chain::Error::Client(ClientError::missing("a", "b"));
        assert!(matches!(Error::from(in_chain), Error::Client(_)));
        let undo = service_chain::Error::Undo {
            cause: Box::new(service_chain::Error::Client(ClientError::missing("a", "b"))),
            left: Vec::new(),
        };
        let cause = Error::from(undo);
        let cause = cause.client_cause();
        assert!(matches!(cause, Some(ClientError::Missing { .. })));
    }

    #[test]
    fn errors_stay_small_enough_to_return() {
        assert!(size_of::<Error>() <= 128, "{}", size_of::<Error>());
    }
}
