//! The IPAM driver: pools are subnets of virtual networks, addresses are instance IPs.
//!
//! So Docker, the CNI plugin and virtual machines draw from one allocator, on all hosts. An address
//! that Docker asks for is set aside as an instance IP without an interface; the network driver
//! hands that one to the interface ([`Ipam::reservation`]), and it stays behind when the interface
//! goes, until Docker gives the address back.

mod address;
mod network;
mod options;
mod pool;
mod store;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use contrail_core::attach::Attacher;
use contrail_core::values::Family;
use contrail_core::{Deadline, Error as CoreError, FqName};
use ipnetwork::IpNetwork;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::making::{Guard, Making};
use crate::proto::{
    AddressSpaces, IpamCapabilities, Options, ReleasePool, Reply, RequestPool, RequestPoolReply,
};
use crate::users;
pub use options::IPAM_OPTIONS;
use options::{PoolOptions, Target};
use pool::Pool;
use store::{PoolEntry, Store};

/// The address spaces, by which the network driver knows pools of this driver.
pub const ADDRESS_SPACES: AddressSpaces = AddressSpaces {
    local_default_address_space: "opencontrail-local",
    global_default_address_space: "opencontrail-global",
};

/// How long one call may take: engines give managed plugins 30 s, people less.
const PATIENCE: Duration = Duration::from_secs(9);

/// The IPAM driver.
pub struct Ipam {
    attacher: Attacher,
    /// The project of networks that are named without one, with its domain.
    project: FqName,
    /// This host's name in the marks of networks.
    node: String,
    store: Store,
    making: Making,
}

impl Ipam {
    /// The driver, with what an earlier run has left in `state_dir`. Asks nobody.
    ///
    /// # Errors
    /// When the directory cannot be used.
    pub fn new(
        attacher: Attacher,
        project: FqName,
        node: String,
        state_dir: &Path,
    ) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            attacher,
            project,
            node,
            store: Store::open(&state_dir.join("ipam"))?,
            making: Making::default(),
        }))
    }

    /// What Docker should know of this driver: asked for once in each life of an engine, before it
    /// repeats what it holds.
    pub fn capabilities(&self) -> Reply {
        self.store.lock().engine_started();
        Reply::IpamCapabilities(IpamCapabilities {
            requires_mac_address: false,
            requires_request_replay: true,
        })
    }

    /// Gives out a pool.
    ///
    /// # Errors
    /// When the options name no network, the network contradicts the pool, or no subnet is left; for a
    /// network of a swarm.
    pub fn request_pool(&self, request: &RequestPool) -> Result<Reply> {
        if request.address_space == ADDRESS_SPACES.global_default_address_space {
            // Its manager asks for each address, and the node that uses it asks once more.
            let reason = "a swarm's manager gives the addresses of all nodes itself: leave --ipam-driver out";
            return Err(CoreError::invalid("--ipam-driver", "opencontrail", reason).into());
        }
        let end = Deadline::after(PATIENCE);
        let PoolOptions {
            target,
            adds_subnet,
        } = options::read(&request.options, &self.project)?;
        let found = network::find(&self.attacher, &target, end)?;
        // Two that want any subnet must not get the same.
        let _choosing = match &found {
            Some(found) => Some(self.at_network(found.name(), end)?),
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
        let _giving = self.making.begin(&id, end)?;
        let mut index = self.store.lock();
        let life = index.life();
        let entry = match index.pool(&id).cloned() {
            Some(entry) => PoolEntry {
                // What another life held will be asked for again.
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

    /// Takes a pool back. The last time, what is left of it goes too: addresses that Docker forgot,
    /// and the network, if this project made it and nobody uses it.
    ///
    /// # Errors
    /// When the state cannot be written.
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

    /// Does what could not be done when Docker asked for it: gives addresses back to the API and
    /// removes networks. What fails again stays for the next time.
    pub fn tidy(&self) {
        self.tidy_until(Deadline::after(PATIENCE));
    }

    fn tidy_until(&self, end: Deadline) {
        let addresses = self.give_back(|_| true, end);
        for done in [addresses, self.remove_pools(end)] {
            if let Err(error) = done {
                log::warn!(
                    "put off until the configuration API answers: {}",
                    contrail_core::error::report(&error)
                );
            }
        }
    }

    /// Removes the pools that nobody holds. One that stays does not hold up the others.
    fn remove_pools(&self, end: Deadline) -> Result<()> {
        let unheld: Vec<String> = {
            let index = self.store.lock();
            let unheld = index.pools().filter(|pool| pool.holders == 0);
            unheld.map(|pool| pool.id.clone()).collect()
        };
        let done: Vec<Result<()>> = unheld
            .into_iter()
            .map(|id| self.remove_pool(&id, end))
            .collect();
        done.into_iter().collect()
    }

    /// Removes a pool, unless somebody holds it or is at it.
    fn remove_pool(&self, id: &str, end: Deadline) -> Result<()> {
        let Some(_removing) = self.making.begin_at_once(id) else {
            return Ok(());
        };
        let entry = self.store.lock().pool(id).cloned();
        let Some(entry) = entry.filter(|entry| entry.holders == 0) else {
            return Ok(());
        };
        let mark = self.mark(id);
        if let Some(facts) = entry.network {
            self.forget_addresses(id)?;
            self.give_back(|address| address.pool == id, end)?;
            users::leave(&self.attacher, facts.network, &mark, end)?;
        } else if entry.begun
            && let Some(network) = network::marked(&self.attacher, &id.parse()?, &mark, end)?
        {
            users::leave(&self.attacher, network, &mark, end)?;
        }
        self.store.lock().remove_pool(id)
    }

    /// Waits until nobody else is changing the subnets of a network, or choosing one.
    fn at_network(&self, network: &FqName, end: Deadline) -> Result<Guard<'_>> {
        self.making
            .begin(&format!("virtual network {network}"), end)
    }

    /// The mark of a pool on the network that it uses.
    fn mark(&self, pool: &str) -> String {
        users::pool_mark(&self.node, &store::file_name(pool))
    }

    /// The first subnet of a family that is not out.
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
        let is_out = |pool: &Pool| {
            let entries = index
                .pools()
                .filter(|entry| entry.life == life && entry.holders > 0);
            let mut out = entries.filter_map(|entry| entry.id.parse::<Pool>().ok());
            out.any(|out| out.network == pool.network && out.prefix == pool.prefix)
        };
        if let Some(free) = pools.iter().find(|pool| !is_out(pool)) {
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

    /// The virtual networks whose pools with this prefix are out.
    pub fn networks_of(&self, prefix: IpNetwork) -> Vec<FqName> {
        let index = self.store.lock();
        let out = index.pools().filter(|entry| entry.holders > 0);
        let out = out.filter_map(|entry| entry.id.parse::<Pool>().ok());
        let of_prefix = out.filter(|pool| pool.prefix == prefix);
        of_prefix.map(|pool| pool.network).collect()
    }

    /// The instance IP that is set aside for an address of a network: the one that an interface with
    /// this address takes over.
    ///
    /// # Errors
    /// When the state is lost and the API cannot be asked.
    pub fn reservation(&self, network: Uuid, address: IpAddr) -> Result<Option<Uuid>> {
        let known = |ipam: &Self| {
            ipam.store
                .lock()
                .address(network, address)
                .map(|entry| entry.id)
        };
        if let Some(id) = known(self) {
            return Ok(Some(id));
        }
        let end = Deadline::after(PATIENCE);
        let ours = self.attacher.reservations(network, end)?;
        let found = ours
            .into_iter()
            .find(|ip| address::is_of_ipam(ip) && ip.address == address);
        Ok(found.map(|ip| ip.id))
    }
}

/// The pool that was asked for by its prefix.
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
        hint: format!("give its IP{family} --subnet to have it created"),
    }
    .into()
}

fn unknown(name: String) -> CoreError {
    CoreError::NotFound {
        kind: "virtual-network",
        name,
        hint: "check --ipam-opt vn".into(),
    }
}
