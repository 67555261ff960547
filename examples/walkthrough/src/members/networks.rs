//! The virtual networks of the walk-through.

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
