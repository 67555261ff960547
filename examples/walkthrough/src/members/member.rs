//! A member of the networks: its interfaces, and pings from it.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use contrail_core::MacAddr;
use contrail_core::kernel::{Dataplane, Kernel, Netns};
use contrail_lab::ping::{Reply, ping};
use ipnetwork::IpNetwork;

use super::networks::NETWORKS;
use crate::failure::{Failure, expect};
use crate::report::step;

/// The number of requests of each ping.
pub const PINGS: u16 = 3;

/// The time limit for each expected reply: long, because a loaded host may be slow.
const REPLY_LIMIT: Duration = Duration::from_secs(5);

/// How long to wait for each reply that must not come.
const SILENCE: Duration = Duration::from_millis(300);

/// A container or a namespace on the networks.
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What it is: `Docker`, `stand-in` or `namespace`.
    pub kind: &'static str,
    /// Its network namespace.
    pub netns: Netns,
    /// Its interfaces, `eth0` first.
    pub interfaces: Vec<Interface>,
}

/// An interface of a member.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// The network of its address.
    pub network: &'static str,
    /// Its address.
    pub address: IpNetwork,
    /// Its MAC address.
    pub mac: Option<MacAddr>,
    /// Its MTU.
    pub mtu: u32,
}

impl Member {
    /// Reads the interfaces of a member from the kernel.
    pub fn look(name: &'static str, kind: &'static str, netns: &Path) -> Result<Self, Failure> {
        let netns = Netns::open(netns)?;
        let kernel = Kernel::new();
        let mut interfaces = Vec::new();
        while let Some(link) = kernel.link(Some(&netns), &format!("eth{}", interfaces.len()))? {
            let address = link.addresses.first().copied();
            let address = address.ok_or_else(|| Failure::missing(name, "address", &link.name))?;
            let mtu = link.mtu;
            let mtu = mtu.ok_or_else(|| Failure::missing(name, "MTU", &link.name))?;
            interfaces.push(Interface {
                name: link.name,
                network: network_of(address)?,
                address,
                mac: link.mac,
                mtu,
            });
        }
        Ok(Self {
            name,
            kind,
            netns,
            interfaces,
        })
    }

    /// Its interfaces, a line each.
    pub fn lines(&self) -> Vec<String> {
        let line = |interface: &Interface| {
            let mac = interface.mac.map(|mac| mac.to_string()).unwrap_or_default();
            let (name, address, mtu) = (&interface.name, interface.address, interface.mtu);
            format!("{} {name}  {address}  mac {mac}  mtu {mtu}", self.name)
        };
        self.interfaces.iter().map(line).collect()
    }

    /// Its addresses, in the order of the interfaces.
    pub fn addresses(&self) -> Vec<String> {
        let interfaces = self.interfaces.iter();
        interfaces.map(Interface::ip).collect()
    }

    /// Its address on a network.
    pub fn on(&self, network: &str) -> Result<IpAddr, Failure> {
        Ok(self.interface(network)?.address.ip())
    }

    /// Its interface on a network.
    pub fn interface(&self, network: &str) -> Result<&Interface, Failure> {
        let mut interfaces = self.interfaces.iter();
        let found = interfaces.find(|interface| interface.network == network);
        found.ok_or_else(|| Failure::missing(self.name, "interface in", network))
    }

    /// Pings an address in the same network.
    pub fn reaches(&self, what: &str, address: IpAddr) -> Result<(), Failure> {
        self.ping(what, address, Some(64)).map(|_| ())
    }

    /// Pings an address behind the gateway and two services, each of which decrements the TTL.
    pub fn reaches_through(&self, what: &str, address: IpAddr) -> Result<Vec<Reply>, Failure> {
        self.ping(what, address, Some(61))
    }

    /// Pings an address that must not reply.
    pub fn does_not_reach(&self, what: &str, address: IpAddr) -> Result<(), Failure> {
        self.ping(what, address, None).map(|_| ())
    }

    fn ping(&self, what: &str, address: IpAddr, ttl: Option<u8>) -> Result<Vec<Reply>, Failure> {
        step(&format!("{} pings {address}, {what}", self.name), || {
            let limit = ttl.map_or(SILENCE, |_| REPLY_LIMIT);
            let replies = ping(&self.netns, address, PINGS, limit)?;
            let seen: Vec<Option<u8>> = replies.iter().map(|r| r.map(|r| r.ttl)).collect();
            let expected = vec![ttl; usize::from(PINGS)];
            let what = format!("TTLs of the replies from {address} to {}", self.name);
            expect(what, seen, expected)?;
            let line = match ttl {
                Some(ttl) => format!("{PINGS} of {PINGS} replies, ttl={ttl}"),
                None => format!("0 of {PINGS} replies"),
            };
            Ok((replies.into_iter().flatten().collect(), vec![line]))
        })
    }
}

impl Interface {
    /// Its IP address.
    pub fn ip(&self) -> String {
        self.address.ip().to_string()
    }
}

fn network_of(address: IpNetwork) -> Result<&'static str, Failure> {
    let mut networks = NETWORKS.iter();
    let found = networks.find(|network| {
        let subnet = network.subnet.parse::<IpNetwork>();
        subnet.is_ok_and(|subnet| subnet.contains(address.ip()))
    });
    found
        .map(|network| network.name)
        .ok_or_else(|| Failure::missing("the walk-through", "network", &address.to_string()))
}
