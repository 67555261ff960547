//! The types of objects that attaching containers needs, one file each.
//!
//! Only used fields have Rust names; the others are kept in `rest`.

mod instance_ip;
mod network_ipam;
mod project;
mod route_target;
mod virtual_machine;
mod virtual_machine_interface;
mod virtual_network;

pub use instance_ip::InstanceIp;
pub use network_ipam::NetworkIpam;
pub use project::Project;
pub use route_target::RouteTarget;
pub use virtual_machine::VirtualMachine;
pub use virtual_machine_interface::{InterfaceProperties, MacAddresses, VirtualMachineInterface};
pub use virtual_network::{
    AllocationPool, HostRoute, HostRoutes, IpamSubnet, RouteTargets, Subnet, VirtualNetwork,
    VnSubnets,
};
