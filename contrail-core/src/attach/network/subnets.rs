//! What a virtual network's subnets mean for an interface: pure functions over values.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use uuid::Uuid;

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
    /// Its id, by which the API chooses an address from it; none in a flat IPAM, where it does not.
    pub uuid: Option<Uuid>,
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
            uuid: subnet.subnet_uuid,
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
        if !wanted.pools.is_empty() && sorted(&found.pools) != sorted(&wanted.pools) {
            return mismatch(
                format!("{} in subnet {}", pools(&found.pools), found.prefix),
                pools(&wanted.pools),
            );
        }
    }
    Ok(())
}

/// Whether the addresses that were asked for are in the configured subnets.
///
/// # Errors
/// [`Error::NoAddress`](ClientError::NoAddress) for the first that is in none of them.
pub fn check_asked(network: &NetworkSpec, asked: &[IpAddr]) -> crate::Result<()> {
    let configured: Vec<IpNetwork> = network.subnets.iter().map(|s| s.prefix).collect();
    let is_outside = |address: &&IpAddr| !configured.iter().any(|p| p.contains(**address));
    match asked.iter().find(is_outside) {
        Some(address) if !configured.is_empty() => {
            let texts: Vec<String> = configured.iter().map(ToString::to_string).collect();
            Err(ClientError::NoAddress {
                network: network.fq_name.clone(),
                reason: format!(
                    "{address} lies in none of the configured subnets ({})",
                    texts.join(", ")
                ),
            })
        }
        _ => Ok(()),
    }
}

/// The subnets that may give an interface its addresses: those that the configuration names, in its order,
/// or all.
pub fn serving(network: &NetworkSpec, existing: &[Subnet]) -> Vec<Subnet> {
    if network.subnets.is_empty() {
        return existing.to_vec();
    }
    let found = |prefix| existing.iter().find(move |s| same_prefix(s.prefix, prefix));
    let wanted = network.subnets.iter();
    wanted.filter_map(|s| found(s.prefix)).cloned().collect()
}

/// Where the API is to take an address from, in this order: subnets with their ids, or any of the network's.
///
/// # Errors
/// [`Error::NoAddress`](ClientError::NoAddress) when the configuration chooses subnets from which the API
/// cannot choose.
pub fn sources(
    network: &NetworkSpec,
    existing: &[Subnet],
    family: Family,
) -> crate::Result<Vec<Option<Uuid>>> {
    let of_family = |subnet: &&Subnet| Family::of(subnet.prefix.ip()) == family;
    let serving = serving(network, existing);
    let chosen: Vec<&Subnet> = serving.iter().filter(of_family).collect();
    let is_chosen = |subnet: &Subnet| chosen.iter().any(|one| one.prefix == subnet.prefix);
    if existing.iter().filter(of_family).all(is_chosen) {
        return Ok(vec![None]);
    }
    let ids = chosen.iter().map(|subnet| subnet.uuid.map(Some));
    ids.collect::<Option<Vec<_>>>()
        .ok_or_else(|| ClientError::NoAddress {
            network: network.fq_name.clone(),
            reason: format!(
                "the API does not choose from one subnet of a flat IPAM ({}): request an address",
                prefixes(&serving)
            ),
        })
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

fn sorted(pools: &[Pool]) -> Vec<(IpAddr, IpAddr)> {
    let mut ends: Vec<_> = pools.iter().map(|pool| (pool.first, pool.last)).collect();
    ends.sort_unstable();
    ends
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
#[path = "subnets_test.rs"]
mod tests;
