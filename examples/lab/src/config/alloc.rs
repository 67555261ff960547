//! The address allocator of one subnet: pure, first fit, from the top unless told otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};

use super::address::{from_number, number};

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
            if pools
                .iter()
                .any(|&(start, end)| (start..=end).contains(&address))
            {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(network: &str, gateway: &str, dns: &str, from_start: bool) -> SubnetSpec {
        SubnetSpec {
            network: network.parse().unwrap(),
            gateway: gateway.parse().ok(),
            dns: dns.parse().ok(),
            pools: Vec::new(),
            from_start,
            unit: 1,
        }
    }

    /// Gateway, DNS address and the first hosts, as text.
    fn hosts(spec: &SubnetSpec, count: usize) -> Vec<String> {
        let mut subnet = Subnet::new(spec).unwrap();
        let mut row = vec![subnet.gateway().to_string(), subnet.dns().to_string()];
        row.extend(
            (0..count)
                .map_while(|_| subnet.allocate("x"))
                .map(|a| a.to_string()),
        );
        row
    }

    #[test]
    fn the_order_is_the_measured_one() {
        let table: [(SubnetSpec, &[&str]); 9] = [
            (
                spec("10.1.1.0/24", "", "", false),
                &[
                    "10.1.1.254",
                    "10.1.1.253",
                    "10.1.1.252",
                    "10.1.1.251",
                    "10.1.1.250",
                ],
            ),
            (
                spec("10.1.1.0/24", "", "", true),
                &["10.1.1.1", "10.1.1.2", "10.1.1.3", "10.1.1.4", "10.1.1.5"],
            ),
            (
                spec("10.1.1.0/24", "10.1.1.1", "", false),
                &[
                    "10.1.1.1",
                    "10.1.1.253",
                    "10.1.1.254",
                    "10.1.1.252",
                    "10.1.1.251",
                ],
            ),
            (
                spec("10.1.1.0/24", "10.1.1.1", "10.1.1.1", true),
                &["10.1.1.1", "10.1.1.1", "10.1.1.2", "10.1.1.3", "10.1.1.4"],
            ),
            (
                spec("10.1.1.0/24", "10.1.1.1", "10.1.1.1", false),
                &[
                    "10.1.1.1",
                    "10.1.1.1",
                    "10.1.1.254",
                    "10.1.1.253",
                    "10.1.1.252",
                ],
            ),
            (
                spec("10.1.1.0/24", "0.0.0.0", "", false),
                &[
                    "0.0.0.0",
                    "10.1.1.253",
                    "10.1.1.254",
                    "10.1.1.252",
                    "10.1.1.251",
                ],
            ),
            (
                spec("10.22.0.0/16", "", "", false),
                &["10.22.255.254", "10.22.255.253", "10.22.255.252"],
            ),
            (
                spec("fd14::/120", "", "", false),
                &["fd14::fe", "fd14::fd", "fd14::fc"],
            ),
            (
                spec("fd00:1::/64", "", "", false),
                &[
                    "fd00:1::ffff:ffff:ffff:fffe",
                    "fd00:1::ffff:ffff:ffff:fffd",
                    "fd00:1::ffff:ffff:ffff:fffc",
                ],
            ),
        ];
        for (spec, expected) in table {
            assert_eq!(hosts(&spec, expected.len() - 2), expected);
        }
    }

    #[test]
    fn small_subnets_hand_out_what_is_left() {
        let all = |spec: &SubnetSpec| hosts(spec, 99);
        assert_eq!(
            all(&spec("10.0.0.0/29", "", "", false)),
            [
                "10.0.0.6", "10.0.0.5", "10.0.0.4", "10.0.0.3", "10.0.0.2", "10.0.0.1"
            ]
        );
        assert_eq!(
            all(&spec("10.0.0.0/29", "", "", true)),
            [
                "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"
            ]
        );
        assert_eq!(
            all(&spec("10.0.0.0/30", "", "", false)),
            ["10.0.0.2", "10.0.0.1"]
        );
        assert_eq!(
            all(&spec("10.0.0.0/30", "10.0.0.1", "10.0.0.1", false)),
            ["10.0.0.1", "10.0.0.1", "10.0.0.2"]
        );
        for network in ["10.0.0.0/31", "10.0.0.0/32"] {
            let refused = Subnet::new(&spec(network, "", "", false)).unwrap_err();
            assert_eq!(refused, "Pool range<=block_alloc_unit");
        }
    }

    #[test]
    fn pools_limit_what_is_handed_out_but_not_what_is_asked_for() {
        let mut spec = spec("10.1.1.0/24", "", "", false);
        spec.pools = vec![
            ("10.1.1.20".parse().unwrap(), "10.1.1.21".parse().unwrap()),
            ("10.1.1.30".parse().unwrap(), "10.1.1.30".parse().unwrap()),
        ];
        assert_eq!(
            hosts(&spec, 9)[2..],
            ["10.1.1.30", "10.1.1.21", "10.1.1.20"]
        );
        spec.from_start = true;
        assert_eq!(
            hosts(&spec, 9)[2..],
            ["10.1.1.20", "10.1.1.21", "10.1.1.30"]
        );
        let mut subnet = Subnet::new(&spec).unwrap();
        assert!(subnet.take("10.1.1.99".parse().unwrap(), "x"));
        assert!(!subnet.take("10.1.1.99".parse().unwrap(), "y"));
        assert_eq!(subnet.owner("10.1.1.99".parse().unwrap()), Some("x"));
    }

    #[test]
    fn a_freed_address_is_the_next_when_it_is_the_best_fit() {
        let mut subnet = Subnet::new(&spec("10.3.0.0/24", "", "", false)).unwrap();
        let next = |subnet: &mut Subnet| subnet.allocate("x").map(|a| a.to_string());
        for _ in 0..4 {
            next(&mut subnet);
        }
        subnet.free("10.3.0.251".parse().unwrap());
        subnet.free("10.3.0.7".parse().unwrap());
        assert_eq!(next(&mut subnet).as_deref(), Some("10.3.0.251"));
        assert_eq!(next(&mut subnet).as_deref(), Some("10.3.0.248"));
        subnet.free("10.3.0.254".parse().unwrap());
        assert!(
            subnet.is_taken("10.3.0.254".parse().unwrap()),
            "the gateway stays reserved"
        );
        assert_eq!(subnet.count(), 4 + 5);
    }

    #[test]
    fn blocks_are_aligned_to_the_unit() {
        let mut spec = spec("10.0.0.0/24", "", "", true);
        spec.unit = 4;
        assert_eq!(hosts(&spec, 2)[2..], ["10.0.0.4", "10.0.0.8"]);
        spec.unit = 3;
        assert_eq!(Subnet::new(&spec).unwrap_err(), "Not power of 2");
    }

    #[test]
    fn only_a_window_of_a_huge_subnet_is_handed_out() {
        let mut subnet = Subnet::new(&spec("10.0.0.0/8", "", "", false)).unwrap();
        let mut count = 0;
        while subnet.allocate("x").is_some() {
            count += 1;
        }
        assert_eq!(count, 65_535 - 2);
    }
}
