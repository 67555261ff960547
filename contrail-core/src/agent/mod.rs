//! The port API of the vRouter agent on this host: it plugs an interface into its virtual network.
//!
//! The agent answers 200 before it does anything, keeps an older port of the same id, and checks almost
//! nothing. So ports are checked before they are sent, and read back until the agent has them.
//!
//! ```no_run
//! use std::{sync::Arc, time::Duration};
//! use contrail_core::agent::{Agent, Port};
//! use contrail_core::http::{Http, TlsSettings};
//! use contrail_core::MacAddr;
//! use uuid::Uuid;
//!
//! let http = Arc::new(Http::new(&TlsSettings::default(), Duration::from_secs(1))?);
//! let agent = Agent::new(http, "127.0.0.1:9091".into(), "/var/lib/contrail/ports".into());
//! let id = Uuid::from_u128(0x5dd3_72be_4068_49dc_af5d_eb79_f93a_7bdf);
//! agent.add(&Port {
//!     id,
//!     instance_id: Uuid::from_u128(1),
//!     vn_id: Uuid::from_u128(2),
//!     project_id: None,
//!     display_name: "web".into(),
//!     address: Some("10.1.0.3".parse()?),
//!     address6: None,
//!     mac: MacAddr::of_interface(id),
//!     host_ifname: "tap5dd372be-40".into(),
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod client;
mod info;
mod port;
mod wire;

pub use client::Agent;
pub use info::PortInfo;
pub use port::Port;

#[cfg(test)]
mod tests;
