//! Membership of ports in service instances: the objects that it consists of, which a chain's plan and
//! a role at attachment make and change by the same functions; who may take a role, joining, leaving, and
//! the upkeep of members whose containers run.

mod eligible;
pub(super) mod fate;
pub(super) mod instance;
pub(super) mod join;
mod leave;
pub(super) mod orphan;
pub(super) mod port;
mod role;
pub(super) mod tuple;
mod upkeep;

pub use join::ServiceRoles;
pub use leave::Dissolved;
pub(crate) use port::tuple_in;
pub use role::{RolePort, ServiceRole};
pub use upkeep::Unbuilt;

/// How often a change is tried again that other ports of the service undo at the same moment.
const ROUNDS: usize = 20;
