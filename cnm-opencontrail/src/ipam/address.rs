//! Addresses: set aside, asked for again, and given back.

use std::net::IpAddr;

use contrail_core::attach::{Reservation, Reserve};
use contrail_core::{Deadline, Error as CoreError, attach};
use uuid::Uuid;

use super::pool::Pool;
use super::store::{AddressEntry, NetworkFacts, Phase, PoolEntry};
use super::{Ipam, PATIENCE, network};
use crate::driver::AUXILIARY;
use crate::error::{Error, Result};
use crate::proto::{Options, ReleaseAddress, Reply, RequestAddress, RequestAddressReply};

/// The option that says what an address is for.
const TYPE: &str = "RequestAddressType";
/// Its value for the gateway of a network.
const GATEWAY: &str = "com.docker.network.gateway";
/// What an address is set aside for, in the words that other hosts show.
const PURPOSE: &str = "reserved by Docker";

impl Ipam {
    /// Gives out an address: the network's gateway, the one that was asked for, or any.
    ///
    /// # Errors
    /// When the address is taken, with its holder; when none is left; when the API cannot be asked.
    pub fn request_address(&self, request: &RequestAddress) -> Result<Reply> {
        let end = Deadline::after(PATIENCE);
        let pool: Pool = request.pool_id.parse()?;
        let asked = match &*request.address {
            "" => None,
            text => Some(parse(text)?),
        };
        // Refused here already: the API would say that all addresses are taken.
        asked.map(|address| pool.with_prefix(address)).transpose()?;
        let is_gateway = request.options.get(TYPE).and_then(|kind| kind.as_str()) == Some(GATEWAY);
        let address = match is_gateway {
            true => self.gateway(&pool, asked, end)?,
            false => self.address(&pool, asked, end)?,
        };
        Ok(Reply::Address(RequestAddressReply {
            address: pool.with_prefix(address)?,
            data: Options::new(),
        }))
    }

    /// Takes an address back. The API is told at once, or when it answers again.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn release_address(&self, request: &ReleaseAddress) -> Result<Reply> {
        let (Ok(pool), Ok(address)) = (request.pool_id.parse::<Pool>(), parse(&request.address))
        else {
            log::debug!(
                "not ours: address {} of pool {}",
                request.address,
                request.pool_id
            );
            return Ok(Reply::Done {});
        };
        let end = Deadline::after(PATIENCE);
        let network = match self.known(&pool) {
            Some(facts) if facts.gateway == Some(address) => return Ok(Reply::Done {}),
            Some(facts) => Some(facts.network),
            // The state is lost.
            None => network::id_of(&self.attacher, &pool, end)?,
        };
        if let Some(network) = network {
            self.mark_released(&pool, network, address, end)?;
        }
        self.tidy_until(end);
        Ok(Reply::Done {})
    }

    fn mark_released(
        &self,
        pool: &Pool,
        network: Uuid,
        address: IpAddr,
        end: Deadline,
    ) -> Result<()> {
        let known = self.store.lock().address(network, address).cloned();
        let entry = match known {
            Some(entry) => entry,
            None => match self.recovered(pool, network, address, end)? {
                Some(entry) => entry,
                None => return Ok(()),
            },
        };
        self.store.lock().put_address(AddressEntry {
            phase: Phase::Released,
            ..entry
        })
    }

    /// The gateway of the pool's subnet. This is the first call for a new network, and the one that
    /// says which gateway the user wants: only now the virtual network is made.
    fn gateway(&self, pool: &Pool, asked: Option<IpAddr>, end: Deadline) -> Result<IpAddr> {
        let facts = self.ensure(pool, asked, end)?;
        match facts.gateway {
            Some(gateway) => Ok(gateway),
            // A network without a gateway: Docker wants an address all the same.
            None => self.address(pool, asked, end),
        }
    }

    fn address(&self, pool: &Pool, asked: Option<IpAddr>, end: Deadline) -> Result<IpAddr> {
        let facts = match self.known(pool) {
            Some(facts) => facts,
            None => self.ensure(pool, None, end)?,
        };
        match self.reserve(pool, facts, asked, end) {
            // The network is gone: it is made again from what is known of it.
            Err(Error::Core(error)) if error.is_not_found() => {
                let facts = self.ensure(pool, facts.asked, end)?;
                self.reserve(pool, facts, asked, end)
            }
            other => other,
        }
    }

    fn reserve(
        &self,
        pool: &Pool,
        facts: NetworkFacts,
        asked: Option<IpAddr>,
        end: Deadline,
    ) -> Result<IpAddr> {
        if let Some(address) = asked.filter(|address| facts.gateway == Some(*address)) {
            return Err(held(address, pool, "the network's gateway".into()));
        }
        if let Some(address) = asked {
            self.finish_release(facts.network, address, end)?;
        }
        let entry = match self.begin(pool, facts, asked)? {
            Begun::New(entry) => entry,
            Begun::Again(address) => return Ok(address),
        };
        let subnet = facts.subnet.map(|id| (id, pool.prefix));
        let reserved = self.attacher.reserve_address(
            &Reserve {
                id: entry.id,
                network: &pool.network,
                network_id: facts.network,
                family: pool.family(),
                address: asked,
                subnet: subnet.filter(|_| asked.is_none()),
                purpose: PURPOSE,
            },
            end,
        );
        match reserved {
            Ok(address) if pool.prefix.contains(address) => {
                self.store.lock().put_address(AddressEntry {
                    address: Some(address),
                    phase: Phase::Held,
                    ..entry
                })?;
                Ok(address)
            }
            Ok(address) => {
                self.give_up(entry)?;
                Err(Error::from(CoreError::NoAddress {
                    network: pool.network.clone(),
                    reason: format!(
                        "{address} was next, which is not in the subnet {}",
                        pool.prefix
                    ),
                }))
            }
            Err(attach::Error::Client(CoreError::AddressInUse { address, network })) => {
                self.store.lock().remove_address(entry.id)?;
                if let Some(entry) = self.recovered(pool, facts.network, address, end)? {
                    // Given out before the state was lost.
                    self.store.lock().put_address(entry)?;
                    return Ok(address);
                }
                let holder = self.attacher.address_holder(facts.network, address, end);
                match holder {
                    Ok(Some(holder)) => Err(held(address, pool, holder)),
                    _ => Err(CoreError::AddressInUse { address, network }.into()),
                }
            }
            Err(error) if error.had_no_effect() => {
                self.store.lock().remove_address(entry.id)?;
                Err(error.into())
            }
            Err(error) => {
                self.give_up(entry)?;
                Err(error.into())
            }
        }
    }

    /// An address that is on its way back must have arrived before it is asked for again.
    fn finish_release(&self, network: Uuid, address: IpAddr, end: Deadline) -> Result<()> {
        let known = self.store.lock().address(network, address).cloned();
        match known.filter(|entry| entry.phase == Phase::Released) {
            Some(entry) => self.give_back_one(entry.id, end),
            None => Ok(()),
        }
    }

    /// Notes what is going to be asked of the API, so that nothing is lost if this program ends in
    /// between. An address that an earlier life of the engine held is simply given out again.
    fn begin(&self, pool: &Pool, facts: NetworkFacts, asked: Option<IpAddr>) -> Result<Begun> {
        let mut index = self.store.lock();
        let life = index.life();
        let known = asked.and_then(|address| index.address(facts.network, address).cloned());
        if let (Some(entry), Some(address)) = (known, asked) {
            if entry.phase != Phase::Held || entry.life == life {
                return Err(held(address, pool, format!("{PURPOSE} on this host")));
            }
            index.put_address(AddressEntry {
                life,
                phase: Phase::Held,
                ..entry
            })?;
            return Ok(Begun::Again(address));
        }
        let entry = AddressEntry {
            id: Uuid::new_v4(),
            pool: pool.to_string(),
            network: facts.network,
            address: asked,
            life,
            phase: Phase::Asked,
        };
        index.put_address(entry.clone())?;
        Ok(Begun::New(entry))
    }

    /// An address may have been set aside, or not: it goes back.
    fn give_up(&self, entry: AddressEntry) -> Result<()> {
        self.store.lock().put_address(AddressEntry {
            phase: Phase::Released,
            ..entry
        })
    }

    /// The entry of an address that this host has set aside and forgotten.
    fn recovered(
        &self,
        pool: &Pool,
        network: Uuid,
        address: IpAddr,
        end: Deadline,
    ) -> Result<Option<AddressEntry>> {
        let ours = self.attacher.reservations(network, end)?;
        let mut index = self.store.lock();
        let life = index.life();
        let found = ours
            .into_iter()
            .find(|ip| is_of_ipam(ip) && ip.address == address);
        // Another call may have set it aside just now.
        let found = found.filter(|ip| index.addresses().all(|entry| entry.id != ip.id));
        Ok(found.map(|ip| AddressEntry {
            id: ip.id,
            pool: pool.to_string(),
            network,
            address: Some(address),
            life,
            phase: Phase::Held,
        }))
    }

    /// What is known of the pool's network, without asking anybody.
    fn known(&self, pool: &Pool) -> Option<NetworkFacts> {
        self.store.lock().pool(&pool.to_string())?.network
    }

    /// Finds or makes the pool's network, and remembers it.
    fn ensure(&self, pool: &Pool, gateway: Option<IpAddr>, end: Deadline) -> Result<NetworkFacts> {
        let id = pool.to_string();
        let mark = self.mark(&id);
        let _changing = self.at_network(&pool.network, end)?;
        let entry = self.begin_network(id)?;
        let adds = entry.adds_subnet;
        let facts = network::ensure(&self.attacher, pool, gateway, adds, &mark, end)?;
        let mut index = self.store.lock();
        let entry = index.pool(&entry.id).cloned().unwrap_or(entry);
        index.put_pool(PoolEntry {
            network: Some(facts),
            ..entry
        })?;
        Ok(facts)
    }

    /// Notes that a pool's network is going to be made, so that it is found again if this fails half-way.
    fn begin_network(&self, id: String) -> Result<PoolEntry> {
        let mut index = self.store.lock();
        let life = index.life();
        let entry = index.pool(&id).cloned().unwrap_or(PoolEntry {
            id,
            // The state was lost: Docker holds it, or it would not ask.
            holders: 1,
            life,
            network: None,
            begun: false,
            adds_subnet: false,
        });
        let entry = PoolEntry {
            begun: true,
            ..entry
        };
        index.put_pool(entry.clone())?;
        Ok(entry)
    }

    /// Docker has given the whole pool back, so nobody will release what is left of it.
    pub(super) fn forget_addresses(&self, pool: &str) -> Result<()> {
        let mut index = self.store.lock();
        let of_pool = index.addresses().filter(|entry| entry.pool == pool);
        let left: Vec<AddressEntry> = of_pool.cloned().collect();
        for entry in left {
            index.put_address(AddressEntry {
                phase: Phase::Released,
                ..entry
            })?;
        }
        Ok(())
    }

    /// Tells the API of those of the addresses that Docker has given back.
    pub(super) fn give_back(
        &self,
        is_meant: impl Fn(&AddressEntry) -> bool,
        end: Deadline,
    ) -> Result<()> {
        let is_released = |entry: &AddressEntry| entry.phase == Phase::Released && is_meant(entry);
        let released: Vec<Uuid> = {
            let index = self.store.lock();
            let released = index.addresses().filter(|entry| is_released(entry));
            released.map(|entry| entry.id).collect()
        };
        // One that fails must not hold up the others.
        let results: Vec<Result<()>> = released
            .into_iter()
            .map(|id| self.give_back_one(id, end))
            .collect();
        results.into_iter().collect()
    }

    fn give_back_one(&self, id: Uuid, end: Deadline) -> Result<()> {
        self.attacher.release_address(id, end)?;
        self.store.lock().remove_address(id)
    }
}

/// Whether Docker had an address set aside here: the network driver sets some aside for itself.
pub(super) fn is_of_ipam(ip: &Reservation) -> bool {
    !ip.purpose.starts_with(AUXILIARY)
}

enum Begun {
    New(AddressEntry),
    Again(IpAddr),
}

fn held(address: IpAddr, pool: &Pool, holder: String) -> Error {
    Error::AddressHeld {
        address,
        network: pool.network.clone(),
        holder,
    }
}

/// An address with or without a prefix length.
fn parse(text: &str) -> Result<IpAddr> {
    let address = text.split('/').next().unwrap_or_default();
    address.parse().map_err(|error: std::net::AddrParseError| {
        CoreError::invalid("address", text, error.to_string()).into()
    })
}
