//! OpenContrail for container plugins: the configuration API, Keystone, the vRouter agent and the
//! kernel plumbing that joins a container to a virtual network.
//!
//! "OpenContrail" stands for OpenContrail 3.x and later, Tungsten Fabric and OpenSDN.
//!
//! Effects live behind two small seams: everything that leaves over HTTP ([`http::Transport`]) and
//! everything that changes the kernel (`kernel::Dataplane`). Requests, addressing and results are
//! values that pure functions build.
//!
//! The modules are layers, lowest first; each uses only those before it:
//!
//! | feature | modules |
//! |---|---|
//! | none | [`values`], [`error`], [`files`], [`parallel`], [`http`], [`keystone`], [`api`], [`agent`], [`settings`], [`ownership`] |
//! | `process` | `process`: logging, panics and reports of a program |
//! | `service-chain` | `service_chain` |
//! | `kernel` | `kernel`, `state` |
//! | `attach` | `attach`, with both features above |

pub mod agent;
pub mod api;
#[cfg(feature = "attach")]
pub mod attach;
pub mod connect;
pub mod error;
pub mod files;
pub mod http;
#[cfg(feature = "kernel")]
pub mod kernel;
pub mod keystone;
pub mod ownership;
pub mod parallel;
#[cfg(feature = "process")]
pub mod process;
#[cfg(feature = "service-chain")]
pub mod service_chain;
pub mod settings;
#[cfg(feature = "kernel")]
pub mod state;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod values;

pub use error::{Error, Result};
pub use values::{Deadline, FqName, MacAddr, Secret};
