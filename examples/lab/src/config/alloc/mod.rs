//! The address allocator of one subnet: pure, first fit, from the top unless told otherwise.

mod space;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};

use super::address::{from_number, number};

pub use space::SpaceSubnet;

/// How many addresses of a subnet are handed out without being asked for, at most.
const WINDOW: u128 = 65_535;

/// What is known of a subnet when it is made.
#[derive(Clone, Debug)]
pub struct SubnetSpec {
    /// The network.
    pub network: IpNetwork,
    /// The gateway, when it is chosen by the client; `0.0.0.0` for a subnet without one.
    pub gateway: Option<IpAddr>,
    /// The address at which the vRouter answers DNS, when it is chosen by the client.
    pub dns: Option<IpAddr>,
    /// The first and last addresses of the pools; the whole subnet when there are none.
    pub pools: Vec<(IpAddr, IpAddr)>,
    /// Whether addresses are handed out from the bottom up.
    pub from_start: bool,
    /// How many addresses are handed out at once; a power of two.
    pub unit: u32,
}

/// A subnet and who has which of its addresses.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subnet {
    network: IpNetwork,
    gateway: IpAddr,
    dns: IpAddr,
    from_start: bool,
    unit: u128,
    /// First and last unit of each pool.
    pools: Vec<(u128, u128)>,
    reserved: BTreeSet<u128>,
    used: BTreeMap<u128, String>,
    /// No unit before this place of the order is free.
    cursor: u128,
}

impl Subnet {
    /// A subnet with nothing handed out. Network address, broadcast address, gateway and DNS
    /// address are reserved.
    ///
    /// # Errors
    /// The server's words when no address could ever be handed out, or the unit does not fit.
    pub fn new(spec: &SubnetSpec) -> Result<Self, String> {
        let network = spec.network;
        let first = number(network.network());
        let last = number(network.broadcast());
        let v6 = network.is_ipv6();
        let unit = u128::from(spec.unit.max(1));
        let near = |offset: u128| {
            let value = if spec.from_start {
                first.saturating_add(offset)
            } else {
                last.saturating_sub(offset)
            };
            from_number(value, v6)
        };
        let gateway = spec.gateway.unwrap_or_else(|| near(1));
        let dns = spec.dns.unwrap_or_else(|| near(2));
        let explicit: Vec<(u128, u128)> = spec
            .pools
            .iter()
            .map(|&(start, end)| (number(start), number(end)))
            .collect();
        let checked = if explicit.is_empty() {
            vec![(first, last)]
        } else {
            explicit.clone()
        };
        let bounds = Bounds {
            first,
            last,
            unit,
            gateway: number(gateway),
            dns: number(dns),
        };
        checked.iter().try_for_each(|&pool| bounds.check(pool))?;
        // Without explicit pools the broadcast address is not even in the pool.
        let pools = if explicit.is_empty() {
            vec![(first, last.saturating_sub(1))]
        } else {
            explicit
        };
        let mut reserved = BTreeSet::from([first / unit, last / unit]);
        for address in [number(gateway), number(dns)] {
            let mut pools = pools.iter();
            if pools.any(|&(start, end)| (start..=end).contains(&address)) {
                reserved.insert(address / unit);
            }
        }
        Ok(Self {
            network,
            gateway,
            dns,
            from_start: spec.from_start,
            unit,
            pools: pools.iter().map(|&(s, e)| (s / unit, e / unit)).collect(),
            reserved,
            used: BTreeMap::new(),
            cursor: 0,
        })
    }

    /// The network.
    pub fn network(&self) -> IpNetwork {
        self.network
    }

    /// The gateway, given or chosen.
    pub fn gateway(&self) -> IpAddr {
        self.gateway
    }

    /// The DNS address, given or chosen.
    pub fn dns(&self) -> IpAddr {
        self.dns
    }

    /// Whether addresses are handed out from the bottom up.
    pub fn is_from_start(&self) -> bool {
        self.from_start
    }

    /// Takes over who has which address from the allocator that this one replaces.
    pub fn inherit(&mut self, old: &Subnet) {
        self.used.clone_from(&old.used);
        self.cursor = 0;
    }

    /// Whether the subnet is an IPv6 one.
    pub fn is_v6(&self) -> bool {
        self.network.is_ipv6()
    }

    /// Whether an address lies in the subnet.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.network.contains(address)
    }

    /// Whether an address is reserved or somebody has it.
    pub fn is_taken(&self, address: IpAddr) -> bool {
        let unit = number(address) / self.unit;
        self.contains(address) && (self.reserved.contains(&unit) || self.used.contains_key(&unit))
    }

    /// Who has an address.
    pub fn owner(&self, address: IpAddr) -> Option<&str> {
        self.used
            .get(&(number(address) / self.unit))
            .map(String::as_str)
    }

    /// Hands out the next free address; `None` when there is none.
    pub fn allocate(&mut self, owner: &str) -> Option<IpAddr> {
        let size: u128 = self.pools.iter().map(|(start, end)| end - start + 1).sum();
        let end = size.min(WINDOW / self.unit);
        while self.cursor < end {
            let unit = self.at(self.cursor)?;
            self.cursor += 1;
            if !self.reserved.contains(&unit) && !self.used.contains_key(&unit) {
                self.used.insert(unit, owner.into());
                return Some(from_number(unit * self.unit, self.is_v6()));
            }
        }
        None
    }

    /// Gives a certain address to an owner, also one outside the pools; false when it is taken.
    pub fn take(&mut self, address: IpAddr, owner: &str) -> bool {
        if self.is_taken(address) {
            return false;
        }
        self.used.insert(number(address) / self.unit, owner.into());
        true
    }

    /// Takes an address back; nothing happens when nobody has it.
    pub fn free(&mut self, address: IpAddr) {
        let unit = number(address) / self.unit;
        if self.contains(address)
            && self.used.remove(&unit).is_some()
            && let Some(place) = self.place(unit)
        {
            self.cursor = self.cursor.min(place);
        }
    }

    /// How many addresses are reserved or handed out.
    pub fn count(&self) -> usize {
        self.reserved.len() + self.used.len()
    }

    /// The unit at a place of the order in which units are handed out.
    fn at(&self, mut place: u128) -> Option<u128> {
        for &(start, end) in self.ordered() {
            let size = end - start + 1;
            if place < size {
                return Some(if self.from_start {
                    start + place
                } else {
                    end - place
                });
            }
            place -= size;
        }
        None
    }

    /// The reverse of [`Subnet::at`]; `None` for a unit outside the pools.
    fn place(&self, unit: u128) -> Option<u128> {
        let mut before = 0;
        for &(start, end) in self.ordered() {
            if (start..=end).contains(&unit) {
                let offset = if self.from_start {
                    unit - start
                } else {
                    end - unit
                };
                return Some(before + offset);
            }
            before += end - start + 1;
        }
        None
    }

    /// The pools in the order in which they are used up.
    fn ordered(&self) -> Box<dyn Iterator<Item = &(u128, u128)> + '_> {
        if self.from_start {
            Box::new(self.pools.iter())
        } else {
            Box::new(self.pools.iter().rev())
        }
    }
}

struct Bounds {
    first: u128,
    last: u128,
    unit: u128,
    gateway: u128,
    dns: u128,
}

impl Bounds {
    /// Whether a pool has room for one unit beside the reserved addresses in it. The count is the
    /// server's, with its quirk: a DNS address beside the gateway is not counted.
    fn check(&self, (start, end): (u128, u128)) -> Result<(), String> {
        let unit = self.unit;
        let range = (end - start).saturating_add(1);
        if unit & (unit - 1) != 0 {
            return Err("Not power of 2".into());
        }
        if start % unit != 0 {
            return Err(format!("Pool start {start} not aligned"));
        }
        if range < unit {
            return Err("Pool range smaller than alloc_unit".into());
        }
        if range % unit != 0 {
            return Err(format!("Pool range {range} not aligned"));
        }
        let inner = |address: u128| {
            (start..=end).contains(&address) && address - start >= unit && end - address >= unit
        };
        let mut blocked = 0;
        if self.first == start {
            blocked += 1 + u128::from(self.last == end && end - start >= unit);
        } else if self.last == end {
            blocked += 1;
        }
        blocked += u128::from(inner(self.gateway));
        blocked += u128::from(inner(self.dns) && self.gateway.abs_diff(self.dns) > unit);
        if range / unit <= blocked {
            return Err("Pool range<=block_alloc_unit".into());
        }
        Ok(())
    }
}
