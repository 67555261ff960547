//! Attaching a container to virtual networks and detaching it again: the use case that everything
//! else in this crate serves, and the only place that sees the API, the agent and the kernel.
//!
//! Attaching takes three rounds of requests, whatever the number of interfaces and networks:
//!
//! 1. read the network ∥ create the virtual machine ∥ create the VM interface ∥ make the veth pair
//! 2. link the VM interface to the virtual machine ∥ create the instance IPs
//! 3. read the addresses that the API chose
//!
//! Then the container's end is configured and the vRouter agent gets the port. A failure undoes what this
//! call did; detaching runs the same typed steps. All ids are computed ([`crate::values::identity`]), so both
//! can be repeated after a crash of any kind.
//!
//! A runtime that moves the interface into the container itself uses the two halves of an [`Endpoint`]:
//!
//! ```no_run
//! # fn example(attacher: &contrail_core::attach::Attacher) -> contrail_core::attach::Result<()> {
//! use contrail_core::attach::Endpoint;
//! use uuid::Uuid;
//!
//! let network_id = Uuid::from_u128(1);
//! let endpoint = Endpoint::new("e1", "default-domain:admin:net1".parse()?, network_id);
//! let mac = attacher.create_endpoint(&endpoint)?;
//! let joined = attacher.join_endpoint(&endpoint, "sandbox1")?;
//! println!("move {} with {mac} into the container", joined.ifname);
//!
//! attacher.leave_endpoint("e1")?;
//! attacher.delete_endpoint("e1", Some(joined.vm), &[])?;
//! # Ok(()) }
//! ```

mod address;
mod attacher;
mod connect;
mod endpoint;
mod error;
mod housekeeping;
mod interface;
mod membership;
pub mod network;
mod objects;
mod port;
mod port_spec;
mod records;
mod removal;
mod spec;
mod steps;
mod transaction;
mod unwind;

pub use attacher::{Attacher, Backend, Host};
pub use endpoint::{Endpoint, EndpointAddress, FoundEndpoint, Joined, Kept};
pub use error::{Error, Result};
pub use housekeeping::{
    Cleaned, Decided, Fate, IdleMachine, ORPHAN_GRACE, Orphan, Status, Waiting,
};
pub use interface::Expected;
pub use membership::{KeptService, warn_of};
pub use network::Network;
pub use removal::{Detached, PendingRemoval, Step};
pub use spec::{
    Assigned, Attached, Attachment, Demand, Detachment, InterfaceOptions, NetworkSpec, Pool,
    Reservation, Reserve, Service, SubnetSpec,
};
