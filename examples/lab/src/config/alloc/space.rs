//! A subnet as its network or IPAM has it.

use serde::{Deserialize, Serialize};

use super::Subnet;

/// A subnet of a virtual network or of a flat IPAM.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpaceSubnet {
    /// `10.1.0.0/24`.
    pub name: String,
    /// The client's or the server's id of the subnet.
    pub uuid: String,
    /// The allocator.
    pub subnet: Subnet,
}
