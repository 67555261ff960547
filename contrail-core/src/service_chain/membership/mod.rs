//! Membership of ports in service instances: which roles there are, who may take one, joining, leaving,
//! and the upkeep of members whose containers run.

mod eligible;
pub(super) mod join;
mod leave;
pub(super) mod orphan;
mod role;
mod upkeep;

pub use join::ServiceRoles;
pub use leave::Dissolved;
pub use role::{RolePort, ServiceRole};
pub use upkeep::Unbuilt;
