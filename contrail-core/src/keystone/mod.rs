//! Tokens for the configuration API: none, a given one, or from Keystone (v2.0 and v3).
//!
//! ```no_run
//! use std::{path::Path, sync::Arc, time::Duration};
//! use contrail_core::http::{Http, TlsSettings};
//! use contrail_core::keystone::{Keystone, KeystoneSettings, TokenSource};
//! use contrail_core::{Deadline, Secret};
//!
//! let password = Secret::new("contrail123");
//! let url = "http://10.0.0.5:5000/v3";
//! let settings = KeystoneSettings::with_password(url, "admin", password, "demo");
//! let http = Arc::new(Http::new(&TlsSettings::default(), Duration::from_secs(2))?);
//! let keystone = Keystone::new(http, settings, Path::new("/run/example/tokens"))?;
//! let token = keystone.token(Deadline::after(Duration::from_secs(20)))?;
//! # Ok::<(), contrail_core::Error>(())
//! ```

mod cache;
mod client;
mod endpoint;
mod message;
mod settings;
mod source;
mod timestamp;

pub use client::Keystone;
pub use endpoint::Version;
pub use settings::{Credential, Domain, Identity, KeystoneSettings, Subject};
pub use source::{FixedToken, NoAuth, NoToken, TokenSource};
