//! Everything that can go wrong between the engine and this plugin.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use contrail_core::values::Invalid;
use contrail_core::{Error as CoreError, FqName, attach};

/// The result of every operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. Docker shows the text to its user, so it never holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The controller, the agent or the kernel said no.
    #[error(transparent)]
    Core(#[from] attach::Error),

    /// A path that is none of the protocol's methods, or not asked for by POST.
    #[error("this plugin has no method {path}")]
    UnknownMethod {
        /// The path.
        path: String,
    },

    /// A method with arguments was called without any: what Docker sends when a connection broke
    /// after it had sent the request.
    #[error(
        "{method} came without a body: it repeats a request that may have been carried out already, since the plugin ended meanwhile; try again"
    )]
    EmptyBody {
        /// The method.
        method: String,
    },

    /// A body that is not the method's JSON.
    #[error("cannot understand the arguments of {method}")]
    Body {
        /// The method.
        method: String,
        /// Where it stopped making sense.
        #[source]
        source: serde_json::Error,
    },

    /// A body beyond what any engine sends.
    #[error("the request is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },

    /// A body that did not arrive.
    #[error("the request did not arrive within {seconds} s")]
    TooSlow {
        /// The limit, in seconds.
        seconds: u64,
    },

    /// A connection that broke within a request.
    #[error("the request did not arrive whole")]
    Broken {
        /// How it broke.
        #[source]
        source: hyper::Error,
    },

    /// A handler panicked: a bug, which costs this one request.
    #[error("the plugin failed inside {method}; its log has the reason")]
    Panic {
        /// The method.
        method: String,
    },

    /// An option that this plugin does not have.
    #[error("unknown {kind} {key:?}{}: known are {}", nearest_text(.nearest), .known.join(", "))]
    UnknownOption {
        /// Where it was given.
        kind: &'static str,
        /// The option.
        key: String,
        /// The known one that it resembles.
        nearest: Option<&'static str>,
        /// All that are known.
        known: Vec<&'static str>,
    },

    /// A network of which neither the state directory nor the controller knows anything.
    #[error(
        "Docker network {network} is not known to OpenContrail: remove it with `docker network rm` and create it again"
    )]
    UnknownNetwork {
        /// The network.
        network: String,
    },

    /// An address that somebody has already.
    #[error("address {address} of virtual network {network} is taken: {holder}")]
    AddressHeld {
        /// The address.
        address: IpAddr,
        /// The network.
        network: FqName,
        /// Who has it.
        holder: String,
    },

    /// The socket belongs to a plugin that runs.
    #[error("another plugin answers on {path}: stop it first, or choose another --name")]
    SocketInUse {
        /// The socket.
        path: PathBuf,
    },

    /// Something other than a socket has the socket's name.
    #[error("{path} exists and is not a socket: remove it, or choose another --socketpath")]
    NotASocket {
        /// The path.
        path: PathBuf,
    },

    /// Nobody answers on a socket as this plugin does.
    #[error("no plugin answers on {path}: {reason}")]
    NoAnswer {
        /// The socket.
        path: PathBuf,
        /// What was observed.
        reason: String,
    },
}

impl Error {
    /// That a file or socket could not be used.
    pub fn file(operation: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        CoreError::file(operation, path, source).into()
    }

    /// That the operating system refused what is about no file.
    pub fn system(operation: impl Into<String>, source: io::Error) -> Self {
        CoreError::system(operation, source).into()
    }

    /// The HTTP status that tells Docker whether it was understood at all. What was understood and
    /// then failed is 200: the text is in the body.
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

fn nearest_text(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |known| format!(", did you mean {known:?}?"))
}
