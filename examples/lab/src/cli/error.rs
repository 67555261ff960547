//! What only the command line can fail at: the lab is not running, or is already running.

use std::path::PathBuf;

/// The result of a command.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a command failed, with what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that is no matter of the command line.
    #[error(transparent)]
    Lab(#[from] contrail_core::Error),

    /// No process serves the lab.
    #[error(
        "no lab named {0} is running: start it with `contrail-lab up`, or name another one with --name"
    )]
    NotRunning(String),

    /// The lab has its name, but does not serve yet.
    #[error("lab {0:?} is starting: try again when `contrail-lab up` has printed `ready`")]
    Starting(String),

    /// Another process has the name.
    #[error(
        "a lab named {0} is already running, or is being removed: stop it with `contrail-lab down`, or give this one another \
         --name"
    )]
    NameInUse(String),

    /// The directory of run files may belong to another user.
    #[error(
        "{path} {reason}: set CONTRAIL_LAB_RUN_DIR to a directory that only you can write to",
        path = .path.display()
    )]
    UnsafeDirectory {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
}
