//! OpenContrail for container plugins: the configuration API, Keystone, the vRouter agent and the
//! kernel plumbing that joins a container to a virtual network.
//!
//! "OpenContrail" stands for OpenContrail 3.x and later, Tungsten Fabric and OpenSDN.
//!
//! Effects live behind two small seams: everything that leaves over HTTP ([`http::Transport`]) and
//! everything that changes the kernel ([`net::Dataplane`]). Requests, addressing and results are
//! values that pure functions build.

pub mod agent;
pub mod api;
pub mod attachment;
pub mod connect;
pub mod deadline;
pub mod error;
pub mod files;
pub mod fq_name;
pub mod http;
pub mod identity;
pub mod keystone;
pub mod lock;
pub mod mac;
pub mod net;
pub mod output;
pub mod parallel;
pub mod prefix;
pub mod secret;
pub mod service_chain;
pub mod settings;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use deadline::Deadline;
pub use error::{Error, Result};
pub use fq_name::FqName;
pub use mac::MacAddr;
pub use secret::Secret;
