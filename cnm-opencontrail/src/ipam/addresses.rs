//! Addresses: reserved, requested again, and released.

use std::net::IpAddr;

use contrail_core::attach::Reserve;
use contrail_core::error::Layered;
use contrail_core::ownership::ReservedFor;
use contrail_core::{Deadline, Error as CoreError, attach};
use uuid::Uuid;

use super::ipam_driver::Ipam;
use super::network;
use super::pool::Pool;
use super::store::{AddressEntry, NetworkFacts};
use crate::error::{Error, Result};
use crate::plugin::PATIENCE;
use crate::proto::{Options, ReleaseAddress, Reply, RequestAddress, RequestAddressReply};
use crate::reserved::{Purpose, is_of_ipam};
use crate::stage::Stage;

/// The option that says what an address is for.
const TYPE: &str = "RequestAddressType";
/// Its value for the gateway of a network.
const GATEWAY: &str = "com.docker.network.gateway";

impl Ipam {
    /// `IpamDriver.RequestAddress`: the network's gateway, a given address, or any.
    ///
    /// # Errors
    /// If the address is taken, with its holder; if none is free; if the API cannot be reached.
    pub fn request_address(&self, request: &RequestAddress) -> Result<Reply> {
        let end = Deadline::after(PATIENCE);
        let pool: Pool = request.pool_id.parse()?;
        let asked = match &*request.address {
            "" => None,
            text => Some(parse(text)?),
        };
        // Refused here: the API would say that all addresses are taken.
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

    /// `IpamDriver.ReleaseAddress`. The API releases the address at once, or when it answers again.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub fn release_address(&self, request: &ReleaseAddress) -> Result<Reply> {
        let (Ok(pool), Ok(address)) = (request.pool_id.parse::<Pool>(), parse(&request.address))
        else {
            log::debug!(
                "ignored the release of address {} of pool {}: this driver has not given it out",
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
            self.release(&pool, network, address, end)?;
        }
        self.tidy_until(end);
        Ok(Reply::Done {})
    }

    fn release(&self, pool: &Pool, network: Uuid, address: IpAddr, end: Deadline) -> Result<()> {
        let known = self.store.lock().address(network, address).cloned();
        let entry = match known {
            Some(entry) => Some(entry),
            None => self.recovered(pool, network, address, end)?,
        };
        entry.map_or(Ok(()), |entry| self.mark_released(entry))
    }

    /// The gateway of the pool's subnet. This is the first call for a new network, and the one that
    /// says which gateway the user wants: so it creates the virtual network.
    fn gateway(&self, pool: &Pool, asked: Option<IpAddr>, end: Deadline) -> Result<IpAddr> {
        let facts = self.ensure(pool, asked, end)?;
        match facts.gateway {
            Some(gateway) => Ok(gateway),
            // A network without a gateway: Docker expects an address all the same.
            None => self.address(pool, asked, end),
        }
    }

    fn address(&self, pool: &Pool, asked: Option<IpAddr>, end: Deadline) -> Result<IpAddr> {
        let facts = match self.known(pool) {
            Some(facts) => facts,
            None => self.ensure(pool, None, end)?,
        };
        match self.reserve(pool, facts, asked, end) {
            // The network no longer exists: create it again from what is known of it.
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
                reserved_for: ReservedFor::Interface,
                purpose: &Purpose::Ipam.to_string(),
            },
            end,
        );
        match reserved {
            Ok(address) if pool.prefix.contains(address) => {
                self.store.lock().put_address(AddressEntry {
                    address: Some(address),
                    stage: Stage::Live,
                    ..entry
                })?;
                Ok(address)
            }
            Ok(address) => {
                self.mark_released(entry)?;
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
                self.mark_released(entry)?;
                Err(error.into())
            }
        }
    }

    /// Records what is going to be requested from the API, so that nothing is lost if this program ends in
    /// between. An address that the engine held before its restart is given out again.
    fn begin(&self, pool: &Pool, facts: NetworkFacts, asked: Option<IpAddr>) -> Result<Begun> {
        let mut index = self.store.lock();
        let life = index.life();
        let known = asked.and_then(|address| index.address(facts.network, address).cloned());
        if let (Some(entry), Some(address)) = (known, asked) {
            if entry.stage != Stage::Live || entry.life == life {
                return Err(held(
                    address,
                    pool,
                    format!("{} on this host", Purpose::Ipam),
                ));
            }
            index.put_address(AddressEntry {
                life,
                stage: Stage::Live,
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
            stage: Stage::Creating,
        };
        index.put_address(entry.clone())?;
        Ok(Begun::New(entry))
    }

    /// The entry of an address that this host has reserved, after the state was lost.
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
        // Another call may have reserved it just now.
        let found = found.filter(|ip| index.addresses().all(|entry| entry.id != ip.id));
        Ok(found.map(|ip| AddressEntry {
            id: ip.id,
            pool: pool.to_string(),
            network,
            address: Some(address),
            life,
            stage: Stage::Live,
        }))
    }
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
