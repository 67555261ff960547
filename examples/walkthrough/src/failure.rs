//! Why the walk-through stops.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why the walk-through stopped.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// cargo could not build the programs; it has printed why.
    #[error("cargo build failed ({0}); its messages are above")]
    Build(ExitStatus),
    /// The program of the containers could not be built.
    #[error(
        "cannot link a static program for the containers; install the static C library (Debian: \
         libc6-dev), or use --members namespaces: {0}"
    )]
    Pause(Box<Failure>),
    /// A program was not built.
    #[error("{} does not exist; `cargo demo` builds it", .0.display())]
    NoProgram(PathBuf),
    /// A command failed.
    #[error("{command} failed ({status}): {output}")]
    Command {
        /// The command line.
        command: String,
        /// How it ended.
        status: String,
        /// What it printed.
        output: String,
    },
    /// A step did not have the expected result.
    #[error("{what}: expected {expected}, found {found}")]
    Unexpected {
        /// What was checked.
        what: String,
        /// The expected value.
        expected: String,
        /// The value found.
        found: String,
    },
    /// A system call failed.
    #[error("{0}")]
    System(#[from] io::Error),
    /// Containers were asked for, and no engine can be started.
    #[error("cannot run Docker containers here: {0}; use --members namespaces")]
    NoDocker(String),
    /// An error of the library.
    #[error("{}", contrail_core::error::report(.0))]
    Core(#[from] contrail_core::Error),
    /// The kernel refused a change.
    #[error("{}", contrail_core::error::report(.0))]
    Kernel(#[from] contrail_core::kernel::Error),
    /// A program printed something that is not JSON.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Failure {
    /// `whose` has no `what` with this name.
    pub fn missing(whose: &str, what: &str, name: &str) -> Self {
        Self::Unexpected {
            what: whose.to_owned(),
            expected: format!("{what} {name:?}"),
            found: "none".to_owned(),
        }
    }
}

/// Fails unless the value found is the expected one.
pub fn expect<T: PartialEq + std::fmt::Debug>(
    what: impl Into<String>,
    found: T,
    expected: T,
) -> Result<(), Failure> {
    if found == expected {
        return Ok(());
    }
    Err(Failure::Unexpected {
        what: what.into(),
        expected: format!("{expected:?}"),
        found: format!("{found:?}"),
    })
}
