//! Service chains: packets between two virtual networks go through services, in order.
//!
//! A [`Description`] says which networks, which services and which containers do the work. It is
//! validated, then compared with a [`Snapshot`] of what the controller has; the difference is
//! a [`Plan`], an ordered list of [`Change`]s. All of that is pure. [`ServiceChains`] reads and
//! writes: it makes the changes only when there are no problems, and rolls them back when one
//! fails.
//!
//! Of a chain, the controller holds a service template (version 2), for each service a service
//! instance, for each of its members a port tuple that the VM interfaces refer to, and one network
//! policy that is attached to both networks. The controller then brings up the chain:
//! [`built`] says how far it is, and [`ServiceChains::bring_up`] waits for it and brings back a
//! chain that it has lost. What a chain makes carries a mark; what existed before is used when it
//! fits, refused when it does not, and never changed or removed.
//!
//! ```no_run
//! # fn example(client: contrail_core::api::Client) -> contrail_core::service_chain::Result<()> {
//! use contrail_core::service_chain::{Description, ServiceChains};
//!
//! let chains = ServiceChains::new(client, "default-domain:admin".parse()?);
//! let text = r#"{"name": "c1", "left": "net1", "right": "net2",
//!     "services": [{"name": "firewall", "members": ["fw-container"]}]}"#;
//! let description = Description::read(text, "c1.json")?;
//! let plan = chains.apply(&description)?;
//! assert!(chains.diff(&description)?.is_complete());
//! println!("{} changes", plan.changes.len());
//! # Ok(())
//! # }
//! ```

mod apply;
pub mod built;
mod chain;
mod chains;
mod change;
mod check;
mod description;
mod error;
mod identified;
mod joined;
mod members;
mod membership;
mod plan;
mod policy;
mod problem;
mod removal;
mod repair;
mod services;
mod snapshot;
mod template;
mod types;
mod wait;

pub use built::{ChainState, Lack, LegState, Progress};
pub use chain::{Chain, ChainService};
pub use chains::ServiceChains;
pub use change::{Change, Object, Target};
pub use description::{Description, Member, Networks, Port, Service};
pub use error::{Error, Result};
pub use identified::Identified;
#[cfg(feature = "attach")]
pub(crate) use membership::tuple_in;
pub use membership::{Dissolved, RolePort, ServiceRole, ServiceRoles, Unbuilt};
pub use plan::{Plan, Shown, State, plan, plan_removal};
pub use problem::{PortConflict, Problem, TemplateDifference};
pub use repair::Repair;
pub use snapshot::Snapshot;
pub use types::{Direction, Leg, Mode, Ports, Protocol};
pub use wait::{Event, POLL, SETTLE};
