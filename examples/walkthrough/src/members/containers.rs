//! The interface to what runs the containers, and the networks that they join.

use serde_json::Value;

use super::member::Member;
use crate::failure::Failure;

/// A virtual network.
pub struct Network {
    /// Its name, for Docker and in OpenContrail.
    pub name: &'static str,
    /// Its route target.
    pub route_target: &'static str,
    /// Its subnet; the gateway is the first address.
    pub subnet: &'static str,
}

/// The networks of the walk-through.
pub const NETWORKS: [Network; 2] = [
    Network {
        name: "net1",
        route_target: "64512:1",
        subnet: "10.1.1.0/24",
    },
    Network {
        name: "net2",
        route_target: "64512:2",
        subnet: "10.1.2.0/24",
    },
];

/// Docker, or its stand-in.
pub trait Containers {
    /// Creates a network with the driver `opencontrail`.
    fn create_network(&mut self, network: &Network) -> Result<(), Failure>;

    /// Runs a container on these networks. It forwards packets if there are several.
    fn run(&mut self, name: &'static str, networks: &[&str]) -> Result<Member, Failure>;

    /// How a service chain names a container as a member.
    fn chain_member(&self, container: &Member) -> Value;

    /// Stops a container and starts it again; the new interfaces are in the member returned.
    fn restart(&mut self, container: &Member) -> Result<Member, Failure>;

    /// Removes a container.
    fn remove(&mut self, container: &Member) -> Result<(), Failure>;

    /// Removes a network.
    fn remove_network(&mut self, network: &Network) -> Result<(), Failure>;

    /// Checks that nothing is left, and stops what was started.
    fn end(&mut self) -> Result<(), Failure>;
}
