//! OpenContrail for container plugins: the configuration API, Keystone, the vRouter agent and the
//! kernel plumbing that joins a container to a virtual network.
//!
//! "OpenContrail" stands for OpenContrail 3.x and later, Tungsten Fabric and OpenSDN.
//!
//! # Quick start
//!
//! The settings come from the same environment variables and files as those of the plugins:
//!
//! ```no_run
//! use contrail_core::api::{ListQuery, Resource, VirtualNetwork};
//! use contrail_core::settings::Settings;
//!
//! let settings = Settings::from_env()?;
//! let client = settings.client("my-program")?;
//! let query = ListQuery::children_of("project", settings.project_name());
//! for network in client.list::<VirtualNetwork>(&query)? {
//!     println!("{}", network.fq_name());
//! }
//! # Ok::<(), contrail_core::Error>(())
//! ```
//!
//! # Layers
//!
//! Effects live behind two small seams: everything that leaves over HTTP ([`http::Transport`]) and
//! everything that changes the kernel (`kernel::Dataplane`). Requests, addressing and results are
//! values that pure functions build. So a program is tested without a controller:
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use contrail_core::api::{Client, ListQuery, Resource, VirtualNetwork};
//! use contrail_core::http::{Request, Response, Scheme, Server, Transport, TransportError};
//! use contrail_core::keystone::NoAuth;
//!
//! /// A configuration API with one network.
//! struct OneNetwork;
//!
//! impl Transport for OneNetwork {
//!     fn send(&self, request: &Request) -> Result<Response, TransportError> {
//!         assert_eq!(format!("{request:?}"), "GET http://api:8082/virtual-networks");
//!         let network = r#"{"fq_name": ["default-domain", "admin", "net1"]}"#;
//!         Ok(Response::new(200, format!(r#"{{"virtual-networks": [{network}]}}"#)))
//!     }
//! }
//!
//! let server = Server { scheme: Scheme::Http, host: "api".into(), port: 8082 };
//! let client = Client::new(
//!     Arc::new(OneNetwork),
//!     vec![server],
//!     Arc::new(NoAuth),
//!     "node1:example".into(),
//!     Duration::from_secs(10),
//! );
//! let networks: Vec<VirtualNetwork> = client.list(&ListQuery::all())?;
//! assert_eq!(networks[0].fq_name().to_string(), "default-domain:admin:net1");
//! # Ok::<(), contrail_core::Error>(())
//! ```
//!
//! The modules are layers, lowest first; each uses only those before it:
//!
//! | feature | modules |
//! |---|---|
//! | none | [`values`], [`error`], [`files`], [`stored`], [`parallel`], [`http`], [`keystone`], [`api`], [`agent`], [`settings`], [`connect`], [`ownership`] |
//! | `process` | `process`: logging, panics and reports of a program |
//! | `service-chain` | `service_chain` |
//! | `kernel` | `kernel`, `state` |
//! | `attach` | `attach`, with both features above; on by default |
//!
//! # Blocking
//!
//! All calls block the thread until the other side answers or the time is up; clients and attachers are
//! cheap to clone and may be used by many threads at once. In an asynchronous program, call them on a
//! thread for blocking work, such as Tokio's `spawn_blocking`: within a task they work, but occupy its
//! worker thread.
//!
//! # Errors
//!
//! [`Error`] is that of the clients and settings; the layers above have their own, to which `?` converts
//! it. [`error::report`] gives an error with all its causes in one line; `is_transient` says whether to
//! try again, `had_no_effect` whether there is anything to undo.

#![cfg_attr(docsrs, feature(doc_cfg))]

/// The examples of the README are compiled as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

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
pub mod stored;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(feature = "attach")]
mod unwind;
pub mod values;

pub use error::{Error, Result};
pub use values::{Deadline, FqName, MacAddr, Secret};
