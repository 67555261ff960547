//! What can go wrong in the kernel.

use std::io;
use std::path::PathBuf;

use crate::values::Invalid;
use crate::values::text::rounded;

/// The result of an operation of this layer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. Exhaustive on purpose, as [`crate::Error`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A path is not usable as a network namespace.
    #[error("{path} is not usable as a network namespace: {reason}")]
    Netns {
        /// The path.
        path: PathBuf,
        /// Why.
        reason: String,
    },

    /// The interface that should be created already exists.
    #[error(
        "interface {ifname} already exists in {place}: detach the container first if an earlier attempt made it"
    )]
    InterfaceExists {
        /// The name.
        ifname: String,
        /// In which network namespace.
        place: String,
    },

    /// The kernel refused a change of the network. The source keeps the error number.
    #[error("cannot {operation}")]
    Kernel {
        /// What was attempted, on what.
        operation: String,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },

    /// The kernel did not finish in time.
    #[error("{operation} timed out after {} s", rounded(*.seconds))]
    Timeout {
        /// What took too long, and on what.
        operation: String,
        /// The limit, in seconds.
        seconds: f32,
    },

    /// A value that the kernel would refuse or interpret differently.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl Error {
    /// An [`Error::Kernel`] that keeps the kernel's error number.
    pub fn kernel(operation: impl Into<String>, source: io::Error) -> Self {
        Self::Kernel {
            operation: operation.into(),
            source,
        }
    }

    /// Whether the same call may succeed later without any change.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Timeout { .. })
    }

    /// Whether nothing was changed.
    pub fn had_no_effect(&self) -> bool {
        matches!(self, Self::Invalid(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::text::report;

    #[test]
    fn a_report_holds_every_cause_once() {
        let error = Error::kernel(
            "create veth tap0",
            io::Error::from_raw_os_error(nix::libc::EEXIST),
        );
        assert_eq!(
            report(&error),
            "cannot create veth tap0: File exists (os error 17)"
        );
    }
}
