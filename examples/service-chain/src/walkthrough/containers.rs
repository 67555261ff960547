//! What runs the story's containers.

use serde_json::Value;

use crate::failure::Failure;
use crate::member::Member;

/// A network of the story.
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

/// Docker, or what stands in for it.
pub trait Containers {
    /// Makes a network with the driver `opencontrail`.
    fn create_network(&mut self, network: &Network) -> Result<(), Failure>;

    /// Runs a container that is on these networks, and passes packets on when they are several.
    fn run(&mut self, name: &'static str, networks: &[&str]) -> Result<Member, Failure>;

    /// How a service chain names a container as a member.
    fn chain_member(&self, container: &Member) -> Value;

    /// Stops a container and starts it again; what it is then.
    fn restart(&mut self, container: &Member) -> Result<Member, Failure>;

    /// Removes a container.
    fn remove(&mut self, container: &Member) -> Result<(), Failure>;

    /// Removes a network.
    fn remove_network(&mut self, network: &Network) -> Result<(), Failure>;

    /// Checks that nothing is left, and ends what was started.
    fn end(&mut self) -> Result<(), Failure>;
}
