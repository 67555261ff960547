//! The address pools of a Docker network: subnets, gateways and the addresses in them.

use std::net::IpAddr;

use contrail_core::Error as CoreError;
use contrail_core::attach::SubnetSpec;
use contrail_core::values::prefix::check_subnet;
use ipnetwork::IpNetwork;

use crate::error::Result;
use crate::proto::IpamData;

/// The pools of Docker's IPAM driver that gives no addresses.
const NULL_POOLS: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// The subnets that the pools ask for.
///
/// # Errors
/// Pools and gateways that cannot be used.
pub(super) fn subnets(pools: &[IpamData]) -> Result<Vec<SubnetSpec>> {
    let real = pools.iter().filter(|pool| !pool.pool.is_empty());
    real.map(|pool| {
        if NULL_POOLS.contains(&pool.pool.as_str()) {
            let reason =
                "a network without addresses cannot be joined: leave --ipam-driver null out";
            return Err(CoreError::invalid("pool", &pool.pool, reason).into());
        }
        let refused = |reason: String| CoreError::invalid("pool", &pool.pool, reason);
        let prefix: IpNetwork =
            (pool.pool.parse()).map_err(|_| refused("a subnet is expected".to_owned()))?;
        check_subnet(prefix).map_err(refused)?;
        let gateway = match pool.gateway.as_str() {
            "" => None,
            text => Some(address_of("gateway", text)?),
        };
        Ok(SubnetSpec {
            gateway,
            ..SubnetSpec::new(prefix)
        })
    })
    .collect()
}

/// The gateways of the pools.
pub(super) fn gateways(pools: &[IpamData]) -> Vec<IpAddr> {
    let texts = pools.iter().map(|pool| pool.gateway.as_str());
    let texts = texts.filter(|gateway| !gateway.is_empty());
    texts
        .filter_map(|gateway| address_of("gateway", gateway).ok())
        .collect()
}

/// Checks that the vRouter can answer DNS at these addresses: they must be the network's own.
///
/// # Errors
/// [`CoreError::Invalid`] for an address that is in none of the subnets.
pub(super) fn check_dns(dns: &[IpAddr], subnets: &[SubnetSpec]) -> Result<()> {
    let is_outside = |dns: &&IpAddr| !subnets.iter().any(|s| s.prefix.contains(**dns));
    match dns.iter().find(is_outside) {
        None => Ok(()),
        Some(dns) => {
            let reason = "an address of one of the network's subnets is expected";
            Err(CoreError::invalid("option dns", dns.to_string(), reason).into())
        }
    }
}

/// The address of `10.1.1.1/24`.
///
/// # Errors
/// [`CoreError::Invalid`] for any other text.
pub(super) fn address_of(what: &str, text: &str) -> Result<IpAddr> {
    let address = text.parse::<IpNetwork>().map(|network| network.ip());
    let reason = "an address with its prefix length is expected";
    Ok(address.map_err(|_| CoreError::invalid(what, text, reason))?)
}
