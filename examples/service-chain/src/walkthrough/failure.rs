//! What can go wrong with the story.

use std::io;

/// Why the walk-through stopped.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A program of ours or of the system did not do its job.
    #[error("{command} failed ({status}): {output}")]
    Command {
        /// The command line.
        command: String,
        /// How it ended.
        status: String,
        /// What it said.
        output: String,
    },
    /// Something is not as promised.
    #[error("{what}: expected {expected}, found {found}")]
    Broken {
        /// What was looked at.
        what: String,
        /// What should have been there.
        expected: String,
        /// What was there.
        found: String,
    },
    /// The system does not allow what the sandbox needs.
    #[error("{0}")]
    System(#[from] io::Error),
    /// Containers were asked for, and no engine can be started.
    #[error("there can be no Docker containers here: {0}; --members namespaces does without")]
    NoDocker(String),
    /// The library's own error.
    #[error("{}", contrail_core::error::report(.0))]
    Core(#[from] contrail_core::Error),
    /// The kernel refused something.
    #[error("{}", contrail_core::error::report(.0))]
    Kernel(#[from] contrail_core::kernel::Error),
    /// An answer that is not JSON.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Failure {
    /// `whose` lacks something that has this name.
    pub fn missing(whose: &str, what: &str, name: &str) -> Self {
        Self::Broken {
            what: whose.to_owned(),
            expected: format!("{what} {name:?}"),
            found: "none".to_owned(),
        }
    }
}

/// Fails unless both are the same.
pub fn expect<T: PartialEq + std::fmt::Debug>(
    what: impl Into<String>,
    found: T,
    expected: T,
) -> Result<(), Failure> {
    if found == expected {
        return Ok(());
    }
    Err(Failure::Broken {
        what: what.into(),
        expected: format!("{expected:?}"),
        found: format!("{found:?}"),
    })
}
