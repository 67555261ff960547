//! All settings of this project: one table of names and defaults, sources as layers of text, and
//! the typed values that follow from them.
//!
//! [`Settings::from_env`] reads those of this process. [`Settings::load`] touches nothing outside:
//! the caller passes the environment and the files. The nearest source that has a value wins, and
//! every value knows where it comes from:
//!
//! ```
//! use contrail_core::settings::{Settings, Sources};
//!
//! let settings = Settings::load(&Sources {
//!     nearer: Vec::new(),
//!     environment: &|name| (name == "API_SERVER_IP").then(|| "10.0.0.1,10.0.0.2".to_string()),
//!     files: Vec::new(),
//!     read: &|_| Err(std::io::ErrorKind::NotFound.into()),
//!     host_name: Some("node1".into()),
//! })?;
//! assert_eq!(settings.servers[1].base_url(), "http://10.0.0.2:8082");
//! # Ok::<(), contrail_core::Error>(())
//! ```

mod attention;
mod auth;
mod auth_type;
mod configparser;
mod foreign;
mod from_env;
mod layer;
mod load;
mod nearest;
mod origin;
mod parse;
mod print;
mod removal;
mod resolve;
mod server;
mod table;
#[cfg(test)]
mod tests;
mod typed;
mod vnc_api_lib;
mod warning;
mod yaml;
mod yaml_scalar;

pub use foreign::{FOREIGN, Foreign, Treatment};
pub use from_env::host_name;
pub use layer::{Entry, Given, Layer};
pub use load::{Overview, Sources};
pub use nearest::nearest;
pub use origin::Origin;
pub use print::{Resolved, table as render};
pub use resolve::ReadFile;
pub use table::{Key, SETTINGS, Setting, find, names, unknown};
pub use typed::{Auth, LogSettings, Settings, Timeouts};
pub use vnc_api_lib::DEFAULT_PATH as VNC_API_LIB_PATH;
pub use vnc_api_lib::parse as parse_vnc_api_lib;
pub use warning::Warning;
pub use yaml::parse as parse_flat_yaml;
