//! The interface to what runs the containers.

use serde_json::Value;

use super::member::Member;
use super::networks::Network;
use crate::failure::Failure;

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
