//! The CNI plugin `opencontrail`: attaches network namespaces to OpenContrail virtual networks.
//!
//! [`run`] serves one call. The whole outside world is passed to it as a [`World`] and [`Streams`].
//!
//! | module | subject |
//! |---|---|
//! | [`protocol`] | CNI itself: commands, environment, versions, errors, results |
//! | `config` | the configuration on standard input; its keys are in `config::keys` |
//! | `command` | ADD, DEL, CHECK, GC, STATUS, and `clean` |
//! | `call`, `run` | one call, from its environment to its answer |
//! | [`operations`] | what the commands need of `contrail-core` |

mod call;
mod command;
mod command_line;
mod config;
pub mod interrupts;
pub mod operations;
pub mod protocol;
mod run;
mod world;

pub use config::keys::ipam::KEYS as IPAM_KEYS;
pub use config::keys::service::KEYS as SERVICE_KEYS;
pub use config::keys::table::{KEYS as NETWORK_KEYS, Key};
pub use run::run;
pub use world::{Streams, World};
