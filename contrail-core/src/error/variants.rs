//! The errors of the API-client layer.

use std::borrow::Cow;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::values::Method;
use uuid::Uuid;

use crate::values::Effect;
use crate::values::text::{after_colon, report, rounded};
use crate::values::{FqName, Invalid};

/// The result of an operation of the API-client layer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. Match on the variant, never on the text.
///
/// The enum is exhaustive on purpose: a program that maps errors to codes must decide about every new one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting or a field that the operation needs is absent.
    #[error("{what} is missing: {hint}")]
    Missing {
        /// What is missing.
        what: String,
        /// Where it can be given.
        hint: String,
    },

    /// A value that cannot be used.
    #[error(transparent)]
    Invalid(#[from] Invalid),

    /// An object that must exist does not.
    #[error("{kind} {name} does not exist in the configuration API{}", detail_of(.hint))]
    NotFound {
        /// The type of the object, as the API spells it.
        kind: &'static str,
        /// Its name or id.
        name: String,
        /// What to do about it.
        hint: Option<String>,
    },

    /// An object refers to another one that does not exist. Nothing was changed.
    #[error("{kind} {name} refers to an object that does not exist in the configuration API{}", after_colon(.message.as_deref().unwrap_or_default()))]
    MissingReference {
        /// The type of the object that refers to the missing one.
        kind: &'static str,
        /// Its name or id.
        name: String,
        /// What the API says about the missing object, if it names it.
        message: Option<String>,
    },

    /// The API gave an object without its id.
    #[error("the configuration API returned {kind} {name} without an id")]
    NoId {
        /// The type of the object.
        kind: &'static str,
        /// Its name.
        name: FqName,
    },

    /// An object of this name or id already exists (HTTP 409).
    #[error("{kind} {name} already exists{}", .uuid.map(|u| format!(" with id {u}")).unwrap_or_default())]
    AlreadyExists {
        /// The type of the object.
        kind: &'static str,
        /// The name that was asked for.
        name: String,
        /// The id of the existing object, when the answer held it.
        uuid: Option<Uuid>,
    },

    /// An object cannot be deleted: others refer to it or are its children (HTTP 409).
    #[error("{kind} {uuid} is still in use by {}", .by.join(", "))]
    InUse {
        /// The type of the object.
        kind: &'static str,
        /// Its id.
        uuid: Uuid,
        /// The users, as `type/id`.
        by: Vec<String>,
    },

    /// The requested address belongs to another interface.
    #[error("address {address} is already in use in virtual network {network}")]
    AddressInUse {
        /// The address.
        address: IpAddr,
        /// The network.
        network: FqName,
    },

    /// No address could be had from the network's subnets.
    #[error("virtual network {network} cannot give this interface an address: {reason}")]
    NoAddress {
        /// The network.
        network: FqName,
        /// Why: exhausted, no subnet of that family, outside every subnet.
        reason: String,
    },

    /// The configuration API or Keystone refused a request.
    #[error("{service} refused {method} {path} with status {status}{}", after_colon(.message))]
    Refused {
        /// Which service, with its address.
        service: String,
        /// The HTTP method.
        method: Method,
        /// The path, without query.
        path: String,
        /// The HTTP status.
        status: u16,
        /// The reason, as plain text.
        message: String,
    },

    /// Keystone accepted the user, the password or the project not, or the API the token. Keystone does not
    /// tell which of them, so that nobody can find out who has an account.
    #[error("{service} rejected {rejected} (status {status}){}", after_colon(.message))]
    Unauthorized {
        /// Which service, with its address.
        service: String,
        /// Everything that may be wrong: `user "admin", the password or project "net"`.
        rejected: String,
        /// The HTTP status.
        status: u16,
        /// The reason, as plain text.
        message: String,
    },

    /// No server of a service could be reached or was able to answer; nothing is known to be wrong
    /// with the request itself. Trying again later may help.
    #[error("cannot reach {service}")]
    Unreachable {
        /// Which service, with the addresses that were tried.
        service: String,
        /// What the request may have changed.
        effect: Effect,
        /// Why the last attempt failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// A server cannot be used in the way in which it is configured: it speaks HTTP where TLS is expected
    /// or the reverse, or its certificate or this client's is not accepted. The request was not carried
    /// out. Another attempt helps only after a change of the settings or of the server.
    #[error("cannot use {service}")]
    Misconfigured {
        /// Which service, with its address.
        service: String,
        /// What does not fit, and what to change.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The time for an operation ended. Trying again later may help.
    #[error("{operation} timed out after {} s", rounded(*.seconds))]
    Timeout {
        /// What took too long, and on what.
        operation: String,
        /// The limit, in seconds.
        seconds: f32,
    },

    /// An answer could not be understood.
    #[error("cannot parse {what}")]
    Decode {
        /// Whose answer, to what.
        what: String,
        /// Where it stopped making sense.
        #[source]
        source: serde_json::Error,
    },

    /// The vRouter agent refused a request about a port, or accepted the port and then did not have it.
    #[error("vRouter agent {agent} did not {operation} port {port}{}", after_colon(.message))]
    Agent {
        /// The agent's address.
        agent: String,
        /// What it was to do with the port: take, show or remove it.
        operation: &'static str,
        /// The port's id.
        port: Uuid,
        /// The agent's own text or what was observed.
        message: String,
    },

    /// A value could not be written as JSON.
    #[error("cannot encode {what}")]
    Encode {
        /// What was to be written.
        what: String,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },

    /// The operating system refused something that is about neither a file nor the network of a
    /// container: a thread, a signal, a standard stream, another program.
    #[error("cannot {operation}")]
    System {
        /// What was attempted, on what.
        operation: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },

    /// A file could not be read or written.
    #[error("cannot {operation} {path}")]
    File {
        /// read, write, lock …
        operation: Cow<'static, str>,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },

    /// A proxy or another server answered instead of the configuration API.
    #[error(
        "{service} answered {method} {path} with status {status} and {content}: this is not the configuration API; look for a proxy or another server at this address"
    )]
    Foreign {
        /// Which service, with its address.
        service: String,
        /// The HTTP method.
        method: Method,
        /// The path, without query.
        path: String,
        /// The HTTP status.
        status: u16,
        /// What came with it: size, content type, and where a redirect leads to.
        content: String,
    },

    /// No token could be had, so the request that needed it was not sent.
    #[error("cannot get a token from {service}")]
    NoToken {
        /// The service that wants the token.
        service: String,
        /// What became of asking for it.
        #[source]
        source: Box<Error>,
    },

    /// A defect of this program ended a part of the work. What it may have changed is unknown.
    #[error("a defect of this program kept it from this: {operation}{}", after_colon(.message))]
    Panicked {
        /// What was attempted, on what.
        operation: String,
        /// What the panic said; the log has the place.
        message: String,
    },

    /// The last attempt of an operation had no effect, but an earlier one may have been carried out
    /// before its answer got lost.
    #[error("{}; an earlier attempt may have succeeded", report(.cause.as_ref()))]
    Unsure {
        /// Why the last attempt failed.
        cause: Box<Error>,
    },
}

impl Error {
    /// An [`Error::Invalid`].
    pub fn invalid(
        what: impl Into<String>,
        value: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self::Invalid(Invalid::new(what, value, reason))
    }

    /// An [`Error::Invalid`] for a value that must not be shown.
    pub fn hidden(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid(Invalid::hidden(what, reason))
    }

    /// An [`Error::Missing`].
    pub fn missing(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Missing {
            what: what.into(),
            hint: hint.into(),
        }
    }

    /// An [`Error::System`].
    pub fn system(operation: impl Into<String>, source: io::Error) -> Self {
        Self::System {
            operation: operation.into(),
            source,
        }
    }

    /// An [`Error::File`].
    pub fn file(
        operation: impl Into<Cow<'static, str>>,
        path: impl Into<PathBuf>,
        source: io::Error,
    ) -> Self {
        Self::File {
            operation: operation.into(),
            path: path.into(),
            source,
        }
    }
}

fn detail_of(text: &Option<String>) -> String {
    text.as_deref().map_or_else(String::new, after_colon)
}
