//! A path for the tests of the text and of the drawing.

use super::{Crossing, End, Leg, Path, Seen, Service};
use crate::members::Interface;

/// A path through two services.
pub fn path() -> Path {
    Path {
        from: End {
            name: "alp1",
            kind: "Docker",
            interface: interface("eth0", "net1", "10.1.1.3/24"),
        },
        services: vec![
            Service {
                name: "cnmSI",
                kind: "Docker",
                legs: [
                    leg("eth0", "net1", "10.1.1.2/24", received(63), sent(61)),
                    leg("eth1", "net2", "10.1.2.2/24", sent(62), received(62)),
                ],
            },
            Service {
                name: "cniSI",
                kind: "namespace",
                legs: [
                    leg("eth0", "net1", "10.1.1.254/24", received(62), sent(62)),
                    leg("eth1", "net2", "10.1.2.254/24", sent(61), received(63)),
                ],
            },
        ],
        to: End {
            name: "alp2",
            kind: "Docker",
            interface: interface("eth0", "net2", "10.1.2.3/24"),
        },
        ttl: 61,
        round_trip: 53,
    }
}

fn leg(
    name: &str,
    network: &'static str,
    address: &str,
    requests: Crossing,
    replies: Crossing,
) -> Leg {
    Leg {
        interface: interface(name, network, address),
        seen: Seen { requests, replies },
    }
}

fn interface(name: &str, network: &'static str, address: &str) -> Interface {
    Interface {
        name: name.to_owned(),
        network,
        address: address.parse().unwrap(),
        mac: None,
        mtu: 1500,
    }
}

fn received(ttl: u8) -> Crossing {
    Crossing {
        received: 3,
        sent: 0,
        ttl,
    }
}

fn sent(ttl: u8) -> Crossing {
    Crossing {
        received: 0,
        sent: 3,
        ttl,
    }
}
