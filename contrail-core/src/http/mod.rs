//! HTTP as the services of a controller need it: requests and answers as values, and the seam that
//! carries them.
//!
//! The configuration API, Keystone and the vRouter agent are all reached through [`Transport`].
//! [`Http`] is the real one; tests use a fake.
//!
//! ```no_run
//! use std::time::Duration;
//! use contrail_core::Deadline;
//! use contrail_core::http::{Http, Method, Request, TlsSettings, Transport};
//!
//! let http = Http::new(&TlsSettings::default(), Duration::from_secs(2))?;
//! let deadline = Deadline::after(Duration::from_secs(10));
//! let request = Request::new(Method::GET, "http://10.0.0.5:8082/", deadline);
//! let response = http.send(&request)?;
//! println!("status {}: {}", response.status, response.text());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer_kind;
mod client;
mod connect;
mod mismatch;
mod request;
mod response;
mod server;
mod text;
mod tls;
mod transport;
mod url;

pub use crate::values::Effect;
/// The methods of the `http` crate: a request of this crate is `GET`, `POST`, `PUT` or `DELETE`.
pub use crate::values::Method;
pub use answer_kind::AnswerKind;
pub use client::Http;
pub use mismatch::Mismatch;
pub use request::Request;
pub use response::Response;
pub use server::{Scheme, Server};
pub use tls::TlsSettings;
pub use transport::{Transport, TransportError};
pub(crate) use url::{host_and_port, path_of};
