//! The commands of the protocol: `CNI_COMMAND`.

use super::error::CniError;
use super::version::CniVersion;

/// What the runtime asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Attach a container.
    Add,
    /// Detach a container.
    Del,
    /// Compare an attachment with its result.
    Check,
    /// Remove the attachments that the runtime no longer has.
    Gc,
    /// Tell whether ADD could be served.
    Status,
    /// Tell the supported versions.
    Version,
}

impl Command {
    /// # Errors
    ///
    /// Code 4 for anything but the commands' exact names.
    pub fn parse(text: &str) -> Result<Self, CniError> {
        Ok(match text {
            "ADD" => Self::Add,
            "DEL" => Self::Del,
            "CHECK" => Self::Check,
            "GC" => Self::Gc,
            "STATUS" => Self::Status,
            "VERSION" => Self::Version,
            _ => {
                let msg = format!("unknown CNI_COMMAND: {text}");
                return Err(CniError::new(CniError::ENVIRONMENT, msg));
            }
        })
    }

    /// As the runtime writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Del => "DEL",
            Self::Check => "CHECK",
            Self::Gc => "GC",
            Self::Status => "STATUS",
            Self::Version => "VERSION",
        }
    }

    /// The first version that has the command.
    pub fn since(self) -> CniVersion {
        match self {
            Self::Add | Self::Del => CniVersion::V010,
            Self::Version => CniVersion::V020,
            Self::Check => CniVersion::V040,
            Self::Gc | Self::Status => CniVersion::V110,
        }
    }

    /// Whether the configuration has to be one that ADD can serve: STATUS answers for ADD.
    pub fn asks_as_add(self) -> bool {
        matches!(self, Self::Add | Self::Status)
    }

    /// Whether the runtime has to give the variable.
    pub fn needs(self, variable: &str) -> bool {
        match variable {
            "CNI_CONTAINERID" | "CNI_IFNAME" => matches!(self, Self::Add | Self::Del | Self::Check),
            "CNI_NETNS" => matches!(self, Self::Add | Self::Check),
            _ => false,
        }
    }
}
