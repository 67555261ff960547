//! What the agent and the data plane need of the configuration: a plain, typed copy of it.

mod chains;
mod policy;
mod read;
mod types;

pub(crate) use policy::{attached, meant, members, role, service_instance};
pub(crate) use read::networks_with_policies;
pub use types::{
    ChainView, ConfigView, InterfaceView, MachineView, NameOrAny, NetworkView, PolicyRule, Ports,
    ServiceInstanceView, SubnetView,
};
