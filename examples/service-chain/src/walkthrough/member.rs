//! A member of the networks: its interfaces, and what it reaches.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use contrail_core::kernel::{Dataplane, Kernel, Netns};
use contrail_lab::ping::{Reply, ping};
use ipnetwork::IpNetwork;

use crate::containers::NETWORKS;
use crate::failure::{Failure, expect};
use crate::report::step;

/// How many packets each ping sends.
pub const PINGS: u16 = 3;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_millis(300);

/// A container or a namespace on the networks.
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a word.
    pub kind: &'static str,
    /// Its network namespace.
    pub netns: Netns,
    /// Its interfaces, `eth0` first.
    pub legs: Vec<Leg>,
}

/// An interface of a member.
pub struct Leg {
    /// Its name.
    pub interface: String,
    /// The network that its address is of.
    pub network: &'static str,
    /// Its address.
    pub address: IpNetwork,
    /// What else there is to see of it.
    text: String,
}

impl Member {
    /// The member as the kernel has it.
    pub fn look(name: &'static str, kind: &'static str, netns: &Path) -> Result<Self, Failure> {
        let netns = Netns::open(netns)?;
        let kernel = Kernel::new();
        let mut legs = Vec::new();
        while let Some(link) = kernel.link(Some(&netns), &format!("eth{}", legs.len()))? {
            let address = link.addresses.first().copied();
            let address = address.ok_or_else(|| Failure::missing(name, "address", &link.name))?;
            legs.push(Leg {
                text: format!(
                    "{name} {}  {address}  mac {}  mtu {}",
                    link.name,
                    link.mac.map(|mac| mac.to_string()).unwrap_or_default(),
                    link.mtu
                ),
                interface: link.name,
                network: network_of(address)?,
                address,
            });
        }
        Ok(Self {
            name,
            kind,
            netns,
            legs,
        })
    }

    /// Its interfaces, a line each.
    pub fn lines(&self) -> Vec<String> {
        self.legs.iter().map(|leg| leg.text.clone()).collect()
    }

    /// Its addresses, in the order of the interfaces.
    pub fn addresses(&self) -> Vec<String> {
        let legs = self.legs.iter();
        legs.map(|leg| leg.address.ip().to_string()).collect()
    }

    /// Its address on a network.
    pub fn on(&self, network: &str) -> Result<IpAddr, Failure> {
        let leg = self.legs.iter().find(|leg| leg.network == network);
        leg.map(|leg| leg.address.ip())
            .ok_or_else(|| Failure::missing(self.name, "interface", network))
    }

    /// Pings somebody in the same network.
    pub fn reaches(&self, what: &str, address: IpAddr) -> Result<(), Failure> {
        self.ping(what, address, Some(64)).map(|_| ())
    }

    /// Pings somebody behind the gateway and two services: each takes one off the TTL.
    pub fn reaches_through(&self, what: &str, address: IpAddr) -> Result<Vec<Reply>, Failure> {
        self.ping(what, address, Some(61))
    }

    /// Pings somebody who must not answer.
    pub fn does_not_reach(&self, what: &str, address: IpAddr) -> Result<(), Failure> {
        self.ping(what, address, None).map(|_| ())
    }

    fn ping(&self, what: &str, address: IpAddr, ttl: Option<u8>) -> Result<Vec<Reply>, Failure> {
        step(&format!("{} pings {address}, {what}", self.name), || {
            let replies = ping(&self.netns, address, PINGS, PATIENCE)?;
            let seen: Vec<Option<u8>> = replies.iter().map(|r| r.map(|r| r.ttl)).collect();
            let expected = vec![ttl; usize::from(PINGS)];
            let whose = format!("TTLs of {address} as {} sees them", self.name);
            expect(whose, seen, expected)?;
            let line = match ttl {
                Some(ttl) => format!("{PINGS} of {PINGS} replies, ttl={ttl}"),
                None => format!("0 of {PINGS} replies"),
            };
            Ok((replies.into_iter().flatten().collect(), vec![line]))
        })
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
        .ok_or_else(|| Failure::missing("the story", "network", &address.to_string()))
}
