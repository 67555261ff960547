//! What can go wrong with service chains.

use super::problem::Problem;
use crate::error::{self, Behind, Layered};
use crate::values::Invalid;
use crate::values::text::{report, reports};

/// The result of an operation of this layer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. Exhaustive on purpose, as [`crate::Error`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration API could not be used, or a document could not be read.
    #[error(transparent)]
    Client(#[from] error::Error),

    /// A service chain cannot be made as it is described. Nothing was changed.
    #[error("cannot apply service chain {chain}: {}", join(.problems))]
    Impossible {
        /// The chain's name.
        chain: String,
        /// Everything that makes it impossible.
        problems: Vec<Problem>,
    },

    /// An operation failed and what it had done could not be undone entirely.
    #[error("{}; the rollback is incomplete: {}", report(.cause.as_ref()), reports(.left))]
    Undo {
        /// Why the operation failed.
        cause: Box<Error>,
        /// One error for each change that could not be undone.
        left: Vec<Error>,
    },
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
            Self::Client(error) => Behind::Client(error),
            Self::Impossible { .. } => Behind::Nothing,
        }
    }
}

impl Error {
    /// As [`error::Error::is_transient`].
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Client(error) => error.is_transient(),
            Self::Undo { cause, .. } => cause.is_transient(),
            Self::Impossible { .. } => false,
        }
    }

    /// As [`error::Error::had_no_effect`].
    pub fn had_no_effect(&self) -> bool {
        match self {
            Self::Client(error) => error.had_no_effect(),
            Self::Impossible { .. } => true,
            Self::Undo { .. } => false,
        }
    }
}

fn join(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines.join("; ")
}
