//! What a virtual network's subnets mean for an interface: pure functions over values.

use std::net::IpAddr;

use ipnetwork::IpNetwork;

use crate::api::objects::{AllocationPool, IpamSubnet};
use crate::attach::error::{Error, Result};
use crate::attach::spec::{Assigned, NetworkSpec, Pool};
use crate::error::Error as ClientError;
use crate::values::Family;
use crate::values::FqName;
use crate::values::Invalid;

/// A subnet of an existing virtual network, as far as an interface needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// The prefix, with the host bits cleared.
    pub prefix: IpNetwork,
    /// The gateway; `None` when the subnet has none (the API stores `0.0.0.0`).
    pub gateway: Option<IpAddr>,
    /// The address at which the vRouter answers DNS.
    pub dns: Option<IpAddr>,
    /// The allocation pools; empty means the whole prefix.
    pub pools: Vec<Pool>,
}

impl Subnet {
    /// A subnet as the API has it; `None` for the link to a flat IPAM, which is no subnet.
    pub fn of(subnet: &IpamSubnet) -> Option<Self> {
        let pool = |pool: &AllocationPool| Pool {
            first: pool.start,
            last: pool.end,
        };
        Some(Self {
            prefix: subnet.prefix()?,
            gateway: subnet.gateway(),
            dns: subnet.dns(),
            pools: subnet.allocation_pools.iter().map(pool).collect(),
        })
    }
}

/// Whether an existing network's subnets can serve the configuration.
///
/// # Errors
/// [`Error::NetworkMismatch`] with both values when a configured subnet is absent from the network,
/// or has another gateway or other pools there.
pub fn check(network: &NetworkSpec, existing: &[Subnet]) -> Result<()> {
    let mismatch = |existing: String, wanted: String| {
        Err(Error::NetworkMismatch {
            network: network.fq_name.clone(),
            existing,
            wanted,
        })
    };
    for wanted in &network.subnets {
        let Some(found) = existing
            .iter()
            .find(|s| same_prefix(s.prefix, wanted.prefix))
        else {
            return mismatch(prefixes(existing), format!("subnet {}", wanted.prefix));
        };
        if let Some(gateway) = wanted.gateway
            && found.gateway != Some(gateway)
        {
            let has = found
                .gateway
                .map_or("no gateway".into(), |g| format!("gateway {g}"));
            return mismatch(
                format!("{has} in subnet {}", found.prefix),
                format!("gateway {gateway}"),
            );
        }
        if let Some(pool) = wanted.pool
            && found.pools != [pool]
        {
            return mismatch(
                format!("{} in subnet {}", pools(&found.pools), found.prefix),
                pools(&[pool]),
            );
        }
    }
    Ok(())
}

/// The least MTU of IPv6 (RFC 8200, section 5); below it the kernel has no IPv6 on an interface.
const LEAST_MTU_OF_IPV6: u32 = 1280;

/// Whether an interface of this MTU can have addresses of a family.
///
/// # Errors
/// For IPv6 if the MTU is smaller than IPv6 needs.
pub fn check_mtu(mtu: Option<u32>, family: Family) -> Result<(), Invalid> {
    match (family, mtu) {
        (Family::V6, Some(mtu @ ..LEAST_MTU_OF_IPV6)) => {
            let reason = format!("IPv6 needs at least {LEAST_MTU_OF_IPV6} bytes");
            Err(Invalid::new("mtu", mtu.to_string(), reason))
        }
        _ => Ok(()),
    }
}

/// The families in which an interface gets an address: those of the configured subnets, else those
/// of the network, narrowed to the requested addresses' families when there are any of both.
pub fn families(network: &NetworkSpec, existing: &[Subnet]) -> Vec<Family> {
    let has = |family: Family| {
        let of = |prefix: IpNetwork| Family::of(prefix.ip()) == family;
        if network.subnets.is_empty() {
            existing.iter().any(|s| of(s.prefix))
        } else {
            network.subnets.iter().any(|s| of(s.prefix))
        }
    };
    Family::ALL.into_iter().filter(|&f| has(f)).collect()
}

/// The address with the prefix length and gateway of the subnet that holds it.
///
/// # Errors
/// [`Error::NoAddress`](ClientError::NoAddress) when no subnet holds it: the network changed between two requests.
pub fn assigned(network: &FqName, subnets: &[Subnet], address: IpAddr) -> crate::Result<Assigned> {
    let subnet = holding(subnets, address).ok_or_else(|| ClientError::NoAddress {
        network: network.clone(),
        reason: format!(
            "{address} lies in none of its subnets ({})",
            prefixes(subnets)
        ),
    })?;
    let address = IpNetwork::new(address, subnet.prefix.prefix())
        .map_err(|e| Invalid::new("prefix", subnet.prefix.to_string(), e.to_string()))?;
    Ok(Assigned {
        address,
        gateway: subnet.gateway,
    })
}

/// The DNS addresses of the subnets that hold the given addresses, each once.
pub fn dns(subnets: &[Subnet], addresses: &[Assigned]) -> Vec<IpAddr> {
    let mut servers: Vec<IpAddr> = Vec::new();
    for address in addresses {
        let server = holding(subnets, address.address.ip()).and_then(|s| s.dns);
        servers.extend(server.filter(|s| !servers.contains(s)));
    }
    servers
}

/// Why the API gave no address. It answers with one text for five different causes; the network's
/// subnets distinguish them (config API, section 6.6).
pub fn why_no_address(subnets: &[Subnet], family: Family, asked: Option<IpAddr>) -> String {
    let own: Vec<&Subnet> = subnets
        .iter()
        .filter(|s| Family::of(s.prefix.ip()) == family)
        .collect();
    match asked {
        _ if subnets.is_empty() => "it has no subnet".into(),
        _ if own.is_empty() => {
            format!("it has no IP{family} subnet, only {}", prefixes(subnets))
        }
        Some(address) if holding(subnets, address).is_none() => {
            format!(
                "{address} lies in none of its subnets ({})",
                prefixes(subnets)
            )
        }
        _ => {
            let own: Vec<Subnet> = own.into_iter().cloned().collect();
            format!("every address of {} is taken", prefixes(&own))
        }
    }
}

/// What an address is for when no interface can have it: the API refuses some of them with reasons of its
/// own, or says that they are in use.
pub fn purpose(subnets: &[Subnet], address: IpAddr) -> Option<&'static str> {
    let subnet = holding(subnets, address)?;
    let prefix = subnet.prefix;
    let has_ends = prefix.is_ipv4() && prefix.prefix() < 31;
    if subnet.gateway == Some(address) {
        Some("the gateway")
    } else if subnet.dns == Some(address) {
        Some("the name server")
    } else if has_ends && prefix.network() == address {
        Some("the network address")
    } else if has_ends && prefix.broadcast() == address {
        Some("the broadcast address")
    } else {
        None
    }
}

fn holding(subnets: &[Subnet], address: IpAddr) -> Option<&Subnet> {
    subnets
        .iter()
        .find(|subnet| subnet.prefix.contains(address))
}

fn same_prefix(a: IpNetwork, b: IpNetwork) -> bool {
    a.network() == b.network() && a.prefix() == b.prefix()
}

fn prefixes(subnets: &[Subnet]) -> String {
    if subnets.is_empty() {
        return "no subnet".into();
    }
    let texts: Vec<String> = subnets.iter().map(|s| s.prefix.to_string()).collect();
    format!("subnet {}", texts.join(", "))
}

fn pools(pools: &[Pool]) -> String {
    if pools.is_empty() {
        return "no allocation pool".into();
    }
    let texts: Vec<String> = pools
        .iter()
        .map(|p| format!("{}-{}", p.first, p.last))
        .collect();
    format!("allocation pool {}", texts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attach::spec::SubnetSpec;

    fn subnet(prefix: &str, gateway: &str) -> Subnet {
        Subnet {
            prefix: prefix.parse().unwrap(),
            gateway: gateway.parse().ok(),
            dns: None,
            pools: Vec::new(),
        }
    }

    /// Prefix, gateway, first and last address of the pool.
    type Wanted<'a> = (&'a str, Option<&'a str>, Option<(&'a str, &'a str)>);

    fn spec(subnets: &[Wanted]) -> NetworkSpec {
        NetworkSpec {
            fq_name: FqName::new(["default-domain", "admin", "net1"]),
            subnets: subnets
                .iter()
                .map(|(prefix, gateway, pool)| SubnetSpec {
                    prefix: prefix.parse().unwrap(),
                    gateway: gateway.map(|g| g.parse().unwrap()),
                    pool: pool.map(|(first, last)| Pool {
                        first: first.parse().unwrap(),
                        last: last.parse().unwrap(),
                    }),
                })
                .collect(),
        }
    }

    fn dual_stack() -> Vec<Subnet> {
        vec![
            subnet("10.1.1.0/24", "10.1.1.254"),
            subnet("fd00:1::/64", "fd00:1::1"),
        ]
    }

    #[test]
    fn a_network_that_says_the_same_or_more_is_accepted() {
        for wanted in [
            spec(&[]),
            spec(&[("10.1.1.0/24", None, None)]),
            spec(&[
                ("10.1.1.0/24", Some("10.1.1.254"), None),
                ("fd00:1::/64", None, None),
            ]),
        ] {
            check(&wanted, &dual_stack()).unwrap();
        }
    }

    #[test]
    fn a_contradiction_is_refused_with_both_values() {
        for (wanted, message) in [
            (
                spec(&[("10.9.0.0/16", None, None)]),
                "virtual network default-domain:admin:net1 has subnet 10.1.1.0/24, fd00:1::/64, \
                 but the configuration asks for subnet 10.9.0.0/16",
            ),
            (
                spec(&[("10.1.1.0/24", Some("10.1.1.1"), None)]),
                "has gateway 10.1.1.254 in subnet 10.1.1.0/24, \
                 but the configuration asks for gateway 10.1.1.1",
            ),
            (
                spec(&[("10.1.1.0/24", None, Some(("10.1.1.9", "10.1.1.19")))]),
                "has no allocation pool in subnet 10.1.1.0/24, \
                 but the configuration asks for allocation pool 10.1.1.9-10.1.1.19",
            ),
        ] {
            let error = check(&wanted, &dual_stack()).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn an_interface_gets_the_families_of_the_configuration_or_of_the_network() {
        assert_eq!(families(&spec(&[]), &dual_stack()), Family::ALL);
        let only_v4 = spec(&[("10.1.1.0/24", None, None)]);
        assert_eq!(families(&only_v4, &dual_stack()), [Family::V4]);
        assert_eq!(families(&spec(&[]), &[]), []);
    }

    #[test]
    fn an_address_takes_prefix_and_gateway_from_the_subnet_that_holds_it() {
        let network = FqName::new(["net1"]);
        let got = assigned(&network, &dual_stack(), "fd00:1::9".parse().unwrap()).unwrap();
        assert_eq!(got.address.to_string(), "fd00:1::9/64");
        assert_eq!(got.gateway, Some("fd00:1::1".parse().unwrap()));
        assigned(&network, &dual_stack(), "10.9.9.9".parse().unwrap()).unwrap_err();
    }

    #[test]
    fn the_causes_of_a_missing_address_are_distinguished() {
        let v4_only = [subnet("10.1.1.0/24", "10.1.1.1")];
        let outside = Some("10.9.9.9".parse().unwrap());
        for (subnets, family, asked, reason) in [
            (&[][..], Family::V4, None, "it has no subnet"),
            (
                &v4_only,
                Family::V6,
                None,
                "it has no IPv6 subnet, only subnet 10.1.1.0/24",
            ),
            (
                &v4_only,
                Family::V4,
                outside,
                "10.9.9.9 lies in none of its subnets",
            ),
            (
                &v4_only,
                Family::V4,
                None,
                "every address of subnet 10.1.1.0/24 is taken",
            ),
        ] {
            let text = why_no_address(subnets, family, asked);
            assert!(text.starts_with(reason), "{text}");
        }
    }

    #[test]
    fn addresses_that_no_interface_can_have_are_known() {
        let mut subnets = dual_stack();
        subnets[0].dns = "10.1.1.253".parse().ok();
        for (address, expected) in [
            ("10.1.1.254", Some("the gateway")),
            ("fd00:1::1", Some("the gateway")),
            ("10.1.1.253", Some("the name server")),
            ("10.1.1.0", Some("the network address")),
            ("10.1.1.255", Some("the broadcast address")),
            ("10.1.1.7", None),
            ("fd00:1::", None),
            ("10.9.9.255", None),
        ] {
            assert_eq!(
                purpose(&subnets, address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
    }
}
