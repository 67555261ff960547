//! The errors of the plugin.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use contrail_core::error::quoted;
use contrail_core::values::Invalid;
use contrail_core::{Error as CoreError, FqName, attach};

/// The result of every operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call or a command failed. Docker shows the text to its user, so it never contains a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The controller, the agent or the kernel failed or refused.
    #[error(transparent)]
    Core(#[from] attach::Error),

    /// A path that is not one of the protocol's methods, or another HTTP method than POST.
    #[error("this plugin has no method {}", quoted(path))]
    UnknownMethod {
        /// The path.
        path: String,
        /// Whether it belongs to a protocol of Docker's: a later engine may know more of its methods.
        is_protocol: bool,
    },

    /// A method with arguments was called with an empty body: Docker does so when it repeats a request
    /// whose connection broke.
    #[error(
        "{method} has no body: Docker retried it after the plugin had restarted, and the first attempt may have succeeded; try again"
    )]
    EmptyBody {
        /// The method.
        method: String,
    },

    /// A body that is not the JSON of the method's arguments.
    #[error("cannot read the arguments of {method}")]
    Body {
        /// The method.
        method: String,
        /// Where it is wrong.
        #[source]
        source: serde_json::Error,
    },

    /// A body that is larger than any that an engine sends.
    #[error("the request is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },

    /// A body that did not arrive in time.
    #[error("the request did not arrive within {seconds} s")]
    TooSlow {
        /// The limit, in seconds.
        seconds: u64,
    },

    /// A connection that broke during a request.
    #[error("the connection broke before the whole request had arrived")]
    Broken {
        /// How it broke.
        #[source]
        source: hyper::Error,
    },

    /// A handler panicked: a bug that fails this request only.
    #[error("the plugin panicked inside {method}; its log has the reason")]
    Panic {
        /// The method.
        method: String,
    },

    /// An unknown option.
    #[error("unknown {kind} {key:?}{}: known are {}", nearest_text(.nearest), .known.join(", "))]
    UnknownOption {
        /// Where it was given.
        kind: &'static str,
        /// The option.
        key: String,
        /// The most similar known option.
        nearest: Option<&'static str>,
        /// All known options.
        known: Vec<&'static str>,
    },

    /// A network that neither the state directory nor the controller has.
    #[error(
        "Docker network {network} is not known to OpenContrail: remove it with `docker network rm` and create it again"
    )]
    UnknownNetwork {
        /// The network.
        network: String,
    },

    /// A network whose state is lost, and of which several virtual networks carry the annotation.
    #[error(
        "Docker network {network}: the state is lost, and virtual networks {} carry its annotation {annotation}: remove it from those that are not meant",
        names(.candidates)
    )]
    AmbiguousNetwork {
        /// The network.
        network: String,
        /// The virtual networks.
        candidates: Vec<FqName>,
        /// The annotation's name.
        annotation: String,
    },

    /// An address that is in use.
    #[error("address {address} of virtual network {network} is taken: {holder}")]
    AddressHeld {
        /// The address.
        address: IpAddr,
        /// The network.
        network: FqName,
        /// Its holder.
        holder: String,
    },

    /// Another plugin serves the socket.
    #[error("another plugin answers on {path}: stop it first, or choose another --name")]
    SocketInUse {
        /// The socket.
        path: PathBuf,
    },

    /// The path of the socket is taken by another kind of file.
    #[error("{path} exists and is not a socket: remove it, or choose another --socketpath")]
    NotASocket {
        /// The path.
        path: PathBuf,
    },

    /// No plugin answers on a socket.
    #[error("no plugin answers on {path}: {reason}")]
    NoAnswer {
        /// The socket.
        path: PathBuf,
        /// What was observed.
        reason: String,
    },
}

impl Error {
    /// A file or socket that could not be used.
    pub fn file(operation: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        CoreError::file(operation, path, source).into()
    }

    /// That the operating system refused what is about no file.
    pub fn system(operation: impl Into<String>, source: io::Error) -> Self {
        CoreError::system(operation, source).into()
    }

    /// How important it is to the operator. What no engine asks for, such as a scrape of metrics, says nothing
    /// about the plugin.
    pub fn level(&self) -> log::Level {
        match self {
            Self::UnknownMethod { is_protocol, .. } => match is_protocol {
                true => log::Level::Warn,
                false => log::Level::Debug,
            },
            _ => log::Level::Error,
        }
    }

    /// The HTTP status that shows Docker whether the request was understood. A call that was understood
    /// and failed is 200: the text is in the body.
    pub fn status(&self) -> u16 {
        match self {
            Self::UnknownMethod { .. } => 404,
            Self::EmptyBody { .. } | Self::Body { .. } | Self::Broken { .. } => 400,
            Self::TooLarge { .. } => 413,
            Self::TooSlow { .. } => 408,
            Self::Panic { .. } => 500,
            Self::Core(_)
            | Self::UnknownOption { .. }
            | Self::UnknownNetwork { .. }
            | Self::AmbiguousNetwork { .. }
            | Self::AddressHeld { .. }
            | Self::SocketInUse { .. }
            | Self::NotASocket { .. }
            | Self::NoAnswer { .. } => 200,
        }
    }
}

impl From<CoreError> for Error {
    fn from(error: CoreError) -> Self {
        Self::Core(error.into())
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Core(invalid.into())
    }
}

fn names(networks: &[FqName]) -> String {
    let names: Vec<String> = networks.iter().map(FqName::to_string).collect();
    names.join(" and ")
}

fn nearest_text(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |known| format!(", did you mean {known:?}?"))
}

#[cfg(test)]
mod tests {
    use crate::proto::Call;

    #[test]
    fn what_no_engine_asks_for_is_no_error_in_the_log() {
        for (path, level) in [
            ("/metrics", log::Level::Debug),
            ("/", log::Level::Debug),
            ("/favicon.ico", log::Level::Debug),
            ("/NetworkDriver.New", log::Level::Warn),
            ("/IpamDriver.New", log::Level::Warn),
            ("/NetworkDriver.Leave", log::Level::Error),
        ] {
            assert_eq!(Call::parse(path, b"").unwrap_err().level(), level, "{path}");
        }
    }
}
