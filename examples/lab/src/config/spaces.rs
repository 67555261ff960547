//! Which subnets an object has, and allocation over all of them.

use std::net::IpAddr;

use uuid::Uuid;

use super::alloc::SpaceSubnet;
use super::python_repr::repr_list;
use super::state::State;

/// What kind of address is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// This address.
    pub address: Option<IpAddr>,
    /// One of the subnet with this id.
    pub subnet: Option<&'a str>,
    /// One of IPv6 (true) or IPv4 (false).
    pub v6: Option<bool>,
}

/// Why there is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAddress {
    /// No subnet of this id.
    NoSubnet,
    /// No subnet has a suitable free address.
    Exhausted,
}

impl State {
    /// The owners of the subnets from which ports of a virtual network get addresses: the network
    /// itself, then its flat IPAMs.
    pub fn owners_of_subnets(&self, network: Uuid) -> Vec<Uuid> {
        let mut owners = vec![network];
        let refs = self
            .store
            .get(network)
            .map(|n| n.refs_to(self.kinds.network_ipam));
        let ipams = refs.into_iter().flatten().map(|reference| reference.to);
        owners.extend(ipams.filter(|ipam| self.spaces.contains_key(ipam)));
        owners
    }

    fn subnets<'a>(&'a self, owners: &'a [Uuid]) -> impl Iterator<Item = &'a SpaceSubnet> + 'a {
        owners
            .iter()
            .filter_map(|owner| self.spaces.get(owner))
            .flatten()
    }

    /// Whether somebody has an address, or it is reserved.
    pub fn is_taken(&self, owners: &[Uuid], address: IpAddr) -> bool {
        self.subnets(owners)
            .any(|entry| entry.subnet.is_taken(address))
    }

    /// Whether an address is the gateway of a subnet.
    pub fn is_gateway(&self, owners: &[Uuid], address: IpAddr) -> bool {
        self.subnets(owners)
            .any(|entry| entry.subnet.gateway() == address)
    }

    /// Hands out an address; the id of its subnet comes with it. A gateway or DNS address that is
    /// asked for is given without being noted: it is reserved anyway.
    ///
    /// # Errors
    /// When there is none, see [`NoAddress`].
    pub fn allocate(
        &mut self,
        owners: &[Uuid],
        wanted: Wanted<'_>,
        holder: &str,
    ) -> Result<(IpAddr, String), NoAddress> {
        let known = |entry: &SpaceSubnet| wanted.subnet.is_none_or(|id| id == entry.uuid);
        if !self.subnets(owners).any(known) && wanted.subnet.is_some() {
            return Err(NoAddress::NoSubnet);
        }
        for owner in owners {
            for entry in self.spaces.get_mut(owner).into_iter().flatten() {
                let subnet = &mut entry.subnet;
                if wanted.subnet.is_some_and(|id| id != entry.uuid)
                    || wanted.v6.is_some_and(|v6| v6 != subnet.is_v6())
                {
                    continue;
                }
                let found = match wanted.address {
                    None => subnet.allocate(holder),
                    Some(address) if [subnet.gateway(), subnet.dns()].contains(&address) => {
                        Some(address)
                    }
                    Some(address) if !subnet.contains(address) => None,
                    Some(address) => subnet.take(address, holder).then_some(address),
                };
                if let Some(address) = found {
                    return Ok((address, entry.uuid.clone()));
                }
            }
        }
        Err(NoAddress::Exhausted)
    }

    /// Takes an address back.
    pub fn free(&mut self, owners: &[Uuid], address: IpAddr) {
        for owner in owners {
            for entry in self.spaces.get_mut(owner).into_iter().flatten() {
                entry.subnet.free(address);
            }
        }
    }
}

/// What the server says when the subnets that it tried have no address left, and in four more cases
/// of none tried.
pub fn exhausted(state: &State, network: Uuid, tried: &[String]) -> String {
    let (name, tried) = (name_of(state, network), repr_list(tried));
    format!("Virtual-Network({name}) has exhausted subnet({tried})")
}

/// An object's name, as texts have it.
pub fn name_of(state: &State, uuid: Uuid) -> String {
    let object = state.store.get(uuid);
    repr_list(object.map_or(&[], |object| object.fq_name.as_slice()))
}
