//! The error object of the protocol, and the code that each error of the library gets.

use std::fmt;

use contrail_core::attach::Error;
use contrail_core::error::{self, Layered, after_colon, report, visible};
use contrail_core::values::Invalid;
use contrail_core::{kernel, service_chain};
use serde_json::Value;

use super::json::shortened;
use super::version::UnknownVersion;

/// An error as the runtime gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CniError {
    /// The code: see the constants.
    pub code: u32,
    /// What failed, in one line: it ends in a Kubernetes event.
    pub msg: String,
    /// The chain of causes or a hint, in one line; may be empty.
    pub details: String,
}

impl CniError {
    /// The configuration's version is unknown, or does not have the command.
    pub const VERSION: u32 = 1;
    /// A field that is not supported; the message holds key and value.
    pub const FIELD: u32 = 2;
    /// An environment variable is missing or invalid; the message names it.
    pub const ENVIRONMENT: u32 = 4;
    /// Standard input or a file could not be read or written.
    pub const IO: u32 = 5;
    /// JSON that cannot be decoded.
    pub const DECODE: u32 = 6;
    /// An invalid network configuration.
    pub const CONFIG: u32 = 7;
    /// `CNI_NETNS` is not usable.
    pub const NETNS: u32 = 8;
    /// A service is down or busy: trying again later may help.
    pub const TRY_AGAIN: u32 = 11;
    /// STATUS: containers cannot be attached.
    pub const NOT_AVAILABLE: u32 = 50;
    /// STATUS: the same, and those that are attached may have no connection.
    pub const LIMITED: u32 = 51;
    /// Ours: the configuration API or Keystone refused a request.
    pub const REFUSED: u32 = 101;
    /// Ours: no address, or not the one that was asked for.
    pub const NO_ADDRESS: u32 = 102;
    /// Ours: the credentials were not accepted.
    pub const UNAUTHORIZED: u32 = 103;
    /// Ours: the vRouter agent did not take the port.
    pub const AGENT: u32 = 104;
    /// Ours: the kernel refused a change, or the name of the host's interface is taken.
    pub const KERNEL: u32 = 105;
    /// Ours: a service's answer cannot be understood.
    pub const ANSWER: u32 = 106;
    /// Ours: CHECK has found a difference.
    pub const DIFFERENT: u32 = 107;
    /// A defect of this plugin.
    pub const INTERNAL: u32 = 999;

    /// An error with a code and a message.
    pub fn new(code: u32, msg: impl Into<String>) -> Self {
        Self {
            code,
            msg: msg.into(),
            details: String::new(),
        }
    }

    /// The same error with details.
    pub fn with(mut self, details: impl Into<String>) -> Self {
        self.details = details.into();
        self
    }

    /// The error for a field that is not supported.
    pub fn unsupported(what: &str, value: &Value) -> Self {
        let value = shortened(&value.to_string());
        Self::new(Self::FIELD, format!("unsupported field {what}: {value}"))
    }

    /// The host already has an interface of this name. The name follows from the attachment's id, not from
    /// `CNI_IFNAME`.
    pub fn host_name(error: &Error) -> Self {
        Self::new(Self::KERNEL, error.to_string())
            .with(
                "either the container is attached in another network namespace, and must be deleted first, \
                 or the interface belongs to another program, and must be renamed or deleted",
            )
    }
}

impl fmt::Display for CniError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = after_colon(&self.details);
        let text = format!("code {}: {}{details}", self.code, self.msg);
        f.write_str(&one_line(&text))
    }
}

/// The code of an error of the library: the code of its cause.
fn code(error: &Error) -> u32 {
    match error.cause() {
        Error::Client(error) => client_code(error),
        Error::Kernel(error) => kernel_code(error),
        Error::ServiceChain(error) => match error.cause() {
            service_chain::Error::Client(error) => client_code(error),
            service_chain::Error::Impossible { .. } => CniError::CONFIG,
            // Never a cause.
            service_chain::Error::Undo { .. } => CniError::INTERNAL,
        },
        Error::NetworkMismatch { .. } => CniError::CONFIG,
        // Never a cause.
        Error::Undo { .. } | Error::Left(_) => CniError::INTERNAL,
    }
}

/// | error of the API, Keystone, the agent or a file | code |
/// |---|---|
/// | `Missing`, `Invalid`, `NotFound`, `MissingReference`, `Misconfigured` | 7 |
/// | `File`, `System` | 5 |
/// | `Unreachable`, `Timeout`, and a refusal that is transient | 11 |
/// | `Refused`, `AlreadyExists`, `InUse` | 101 |
/// | `NoAddress`, `AddressInUse` | 102 |
/// | `Unauthorized` | 103 |
/// | `Agent` | 104 |
/// | `Decode`, `Foreign`, `NoId` | 106 |
/// | `Encode`, `Panicked` | 999 |
/// | `Unsure`, `NoToken` | the code of its cause |
fn client_code(error: &error::Error) -> u32 {
    use error::Error;
    match error.cause() {
        Error::Missing { .. }
        | Error::Invalid(_)
        | Error::NotFound { .. }
        | Error::MissingReference { .. }
        | Error::Misconfigured { .. } => CniError::CONFIG,
        Error::File { .. } | Error::System { .. } => CniError::IO,
        Error::Unreachable { .. } | Error::Timeout { .. } => CniError::TRY_AGAIN,
        cause @ Error::Refused { .. } if cause.is_transient() => CniError::TRY_AGAIN,
        Error::Refused { .. } | Error::AlreadyExists { .. } | Error::InUse { .. } => {
            CniError::REFUSED
        }
        Error::NoAddress { .. } | Error::AddressInUse { .. } => CniError::NO_ADDRESS,
        Error::Unauthorized { .. } => CniError::UNAUTHORIZED,
        Error::Agent { .. } => CniError::AGENT,
        Error::Decode { .. } | Error::Foreign { .. } | Error::NoId { .. } => CniError::ANSWER,
        Error::Encode { .. } | Error::Panicked { .. } => CniError::INTERNAL,
        // Never a cause.
        Error::Unsure { .. } | Error::NoToken { .. } => CniError::INTERNAL,
    }
}

/// | error of the kernel | code |
/// |---|---|
/// | `InterfaceExists` (`CNI_IFNAME` is taken; for the host's interface see [`CniError::host_name`]) | 4 |
/// | `Invalid` | 7 |
/// | `Netns` | 8 |
/// | `Timeout` | 11 |
/// | `Kernel` | 105 |
fn kernel_code(error: &kernel::Error) -> u32 {
    match error {
        kernel::Error::InterfaceExists { .. } => CniError::ENVIRONMENT,
        kernel::Error::Invalid(_) => CniError::CONFIG,
        kernel::Error::Netns { .. } => CniError::NETNS,
        kernel::Error::Timeout { .. } => CniError::TRY_AGAIN,
        kernel::Error::Kernel { .. } => CniError::KERNEL,
    }
}

impl From<&Error> for CniError {
    fn from(error: &Error) -> Self {
        let msg = visible(&error.to_string());
        let whole = report(error);
        let causes = whole.strip_prefix(&msg).unwrap_or(&whole);
        Self {
            code: code(error),
            details: causes.trim_start_matches([':', ' ']).to_string(),
            msg,
        }
    }
}

impl From<Error> for CniError {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<error::Error> for CniError {
    fn from(error: error::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<Invalid> for CniError {
    fn from(invalid: Invalid) -> Self {
        Error::from(invalid).into()
    }
}

impl From<UnknownVersion> for CniError {
    fn from(error: UnknownVersion) -> Self {
        Self::new(Self::VERSION, "incompatible CNI versions").with(error.to_string())
    }
}

/// The most bytes of a message, and of its details: an error ends in an event of Kubernetes.
const MAX_TEXT: usize = 4096;

/// A text without line ends and other control characters; a very long one ends early.
pub(super) fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let text = text.trim();
    match (0..=MAX_TEXT).rev().find(|&end| text.is_char_boundary(end)) {
        Some(end) if end < text.len() => text[..end].chars().map(plain).chain(['…']).collect(),
        _ => text.chars().map(plain).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use contrail_core::http::Effect;
    use contrail_core::{Error as ClientError, FqName};

    use super::*;

    #[test]
    fn every_error_of_the_library_has_its_code() {
        let network = || FqName::new(["d", "p", "n"]);
        let refused = |status| ClientError::Refused {
            service: "s".into(),
            method: contrail_core::http::Method::GET,
            path: "/".into(),
            status,
            message: "m".into(),
        };
        let table: [(Error, u32); 12] = [
            (ClientError::missing("a", "b").into(), 7),
            (ClientError::invalid("a", "b", "c").into(), 7),
            (
                ClientError::NotFound {
                    kind: "project",
                    name: "n".into(),
                    hint: None,
                }
                .into(),
                7,
            ),
            (
                kernel::Error::Netns {
                    path: "/x".into(),
                    reason: "r".into(),
                }
                .into(),
                8,
            ),
            (
                kernel::Error::InterfaceExists {
                    ifname: "eth0".into(),
                    place: "/x".into(),
                }
                .into(),
                4,
            ),
            (
                ClientError::Timeout {
                    operation: "o".into(),
                    seconds: 1.0,
                }
                .into(),
                11,
            ),
            (refused(503).into(), 11),
            (refused(403).into(), 101),
            (
                ClientError::NoAddress {
                    network: network(),
                    reason: "r".into(),
                }
                .into(),
                102,
            ),
            (
                kernel::Error::kernel("o", io::Error::from_raw_os_error(1)).into(),
                105,
            ),
            (
                service_chain::Error::Impossible {
                    chain: "c".into(),
                    problems: Vec::new(),
                }
                .into(),
                7,
            ),
            (
                Error::Undo {
                    cause: Box::new(refused(403).unsure().into()),
                    left: Vec::new(),
                },
                101,
            ),
        ];
        for (error, code) in table {
            assert_eq!(CniError::from(&error).code, code, "{error}");
        }
    }

    #[test]
    fn causes_become_details_on_one_line() {
        let error = ClientError::Unreachable {
            service: "config API http://a:8082".into(),
            effect: Effect::NotSent,
            source: "connection\nrefused".into(),
        };
        assert_eq!(
            CniError::from(error).to_string(),
            r"code 11: cannot reach config API http://a:8082: connection\nrefused"
        );
    }
}
