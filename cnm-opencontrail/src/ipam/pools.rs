//! Pools: given out and released.

use contrail_core::values::Family;
use contrail_core::{Deadline, Error as CoreError};
use ipnetwork::IpNetwork;

use super::ipam_driver::{ADDRESS_SPACES, Ipam};
use super::options::PoolOptions;
use super::pool::{self, Pool};
use super::store::PoolEntry;
use super::{network, options};
use crate::error::{Error, Result};
use crate::options::Target;
use crate::plugin::PATIENCE;
use crate::proto::{Options, ReleasePool, Reply, RequestPool, RequestPoolReply};

impl Ipam {
    /// `IpamDriver.RequestPool`.
    ///
    /// # Errors
    /// If the options name no network, the network contradicts the pool, or no subnet is free; for a
    /// network of a swarm.
    pub fn request_pool(&self, request: &RequestPool) -> Result<Reply> {
        if request.address_space == ADDRESS_SPACES.global_default_address_space {
            // Its manager requests each address, and the node that uses it requests it again.
            let reason = "a swarm's manager gives the addresses of all nodes itself: leave --ipam-driver out";
            return Err(CoreError::invalid("--ipam-driver", "opencontrail", reason).into());
        }
        let end = Deadline::after(PATIENCE);
        let PoolOptions {
            target,
            adds_subnet,
        } = options::read(&request.options, &self.project)?;
        let target = match target {
            Some(target) => target,
            None => self.unnamed(request, end)?,
        };
        let found = network::find(&self.attacher, &target, end)?;
        // Two requests for any subnet must not get the same one.
        let _choosing = match &found {
            Some(found) => Some(self.lock_network(found.name(), end)?),
            None => None,
        };
        let pool = match (&*request.pool, found) {
            ("", None) => return Err(no_subnet(&target, request.v6)),
            ("", Some(found)) => {
                if !request.sub_pool.is_empty() {
                    let hint = "an --ip-range needs its --subnet";
                    return Err(CoreError::missing("--subnet", hint).into());
                }
                self.free_subnet(&found, request.v6)?
            }
            (_, found) => {
                let pool = explicit(request, &target, found.as_ref())?;
                found.map_or(Ok(()), |found| found.check(&pool, adds_subnet))?;
                pool
            }
        };
        let id = pool.to_string();
        let _lock = self.locks.lock(&id, end)?;
        let mut index = self.store.lock();
        let life = index.life();
        let entry = match index.pool(&id).cloned() {
            Some(entry) => PoolEntry {
                // The engine requests again what it held before its restart.
                holders: 1 + if entry.life == life { entry.holders } else { 0 },
                life,
                adds_subnet,
                ..entry
            },
            None => PoolEntry {
                id: id.clone(),
                holders: 1,
                life,
                network: None,
                begun: false,
                adds_subnet,
            },
        };
        index.put_pool(entry)?;
        Ok(Reply::Pool(RequestPoolReply {
            pool_id: id,
            pool: pool.prefix,
            data: Options::new(),
        }))
    }

    /// `IpamDriver.ReleasePool`. With the last holder, what is left of the pool is removed: addresses that
    /// Docker has not released, and the network, if this project made it and it has no other users.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub fn release_pool(&self, request: &ReleasePool) -> Result<Reply> {
        let mut index = self.store.lock();
        let Some(entry) = index.pool(&request.pool_id).cloned() else {
            return Ok(Reply::Done {});
        };
        let holders = entry.holders.saturating_sub(1);
        index.put_pool(PoolEntry { holders, ..entry })?;
        drop(index);
        self.tidy();
        Ok(Reply::Done {})
    }

    /// The virtual network of a request without options, which Compose drops: the one of this project with
    /// the subnet.
    ///
    /// # Errors
    /// [`CoreError::Missing`] if there is none or not only one, with what to do.
    fn unnamed(&self, request: &RequestPool, end: Deadline) -> Result<Target> {
        let project = &self.project;
        let missing = |found: String| {
            CoreError::missing(
                "--ipam-opt name",
                format!(
                    "addresses come from a virtual network, and {found}. Name it: --ipam-opt name=net1, or \
                     --ipam-opt vn=NAME for one that must exist. Compose drops ipam.options: create the \
                     network by docker network create, and declare it external: true"
                ),
            )
        };
        if request.pool.is_empty() {
            return Err(missing("no subnet says which".to_owned()).into());
        }
        let prefix = pool::prefix("subnet", &request.pool, request.v6)?;
        let names = network::with_subnet(&self.attacher, project, prefix, end)?;
        match &names[..] {
            [name] => Ok(Target::Existing(name.clone())),
            [] => Err(missing(format!("none of project {project} has the subnet {prefix}")).into()),
            names => {
                let names: Vec<String> = names.iter().map(ToString::to_string).collect();
                let names = names.join(", ");
                Err(missing(format!("several have the subnet {prefix}: {names}")).into())
            }
        }
    }

    /// The first subnet of a family that Docker does not hold.
    fn free_subnet(&self, found: &network::Found, v6: bool) -> Result<Pool> {
        let family = if v6 { Family::V6 } else { Family::V4 };
        let pools = found.prefixes(family).map(|prefix| Pool {
            network: found.name().clone(),
            prefix,
            range: None,
        });
        let pools: Vec<Pool> = pools.collect();
        let mut index = self.store.lock();
        let life = index.life();
        let is_held = |pool: &Pool| {
            let entries = index
                .pools()
                .filter(|entry| entry.life == life && entry.holders > 0);
            let mut held = entries.filter_map(|entry| entry.id.parse::<Pool>().ok());
            held.any(|held| held.network == pool.network && held.prefix == pool.prefix)
        };
        if let Some(free) = pools.iter().find(|pool| !is_held(pool)) {
            return Ok(free.clone());
        }
        let reason = match pools.is_empty() {
            true => format!("it has no IP{family} subnet: give it with --subnet"),
            false => {
                let prefixes: Vec<String> =
                    pools.iter().map(|pool| pool.prefix.to_string()).collect();
                format!(
                    "another Docker network of this host has {}: name it with --subnet to share it",
                    prefixes.join(", ")
                )
            }
        };
        Err(CoreError::NoAddress {
            network: found.name().clone(),
            reason,
        }
        .into())
    }
}

/// The pool that a request names by its prefix.
fn explicit(
    request: &RequestPool,
    target: &Target,
    found: Option<&network::Found>,
) -> Result<Pool> {
    let prefix = pool::prefix("subnet", &request.pool, request.v6)?;
    let range = match &*request.sub_pool {
        "" => None,
        text => Some(inside(
            prefix,
            pool::prefix("--ip-range", text, request.v6)?,
        )?),
    };
    let network = match (target, found) {
        (_, Some(found)) => found.name().clone(),
        (Target::Named(name) | Target::Existing(name), None) => name.clone(),
        (Target::Id(id), None) => return Err(unknown(id.to_string()).into()),
    };
    Ok(Pool {
        network,
        prefix,
        range: range.filter(|range| *range != prefix),
    })
}

fn inside(prefix: IpNetwork, range: IpNetwork) -> Result<IpNetwork> {
    match prefix.contains(range.network()) && range.prefix() >= prefix.prefix() {
        true => Ok(range),
        false => {
            let reason = format!("it lies outside of the subnet {prefix}");
            Err(CoreError::invalid("--ip-range", range.to_string(), reason).into())
        }
    }
}

fn no_subnet(target: &Target, v6: bool) -> Error {
    let (Target::Named(name) | Target::Existing(name)) = target else {
        return unknown(String::new()).into();
    };
    let family = if v6 { Family::V6 } else { Family::V4 };
    CoreError::NotFound {
        kind: "virtual-network",
        name: name.to_string(),
        hint: Some(format!("give its IP{family} --subnet to have it created")),
    }
    .into()
}

fn unknown(name: String) -> CoreError {
    CoreError::NotFound {
        kind: "virtual-network",
        name,
        hint: Some("check --ipam-opt vn".into()),
    }
}
