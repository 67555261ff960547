//! Which of a network's subnets an instance IP gets its address from: the network's own ones, or
//! those of the flat IPAMs that it refers to.

use std::net::IpAddr;

use serde_json::Value;
use uuid::Uuid;

use crate::config::error::{ApiError, Result};
use crate::config::spaces::{NoAddress, Wanted, exhausted, name_of};
use crate::config::state::State;

/// Hands out an address, and the id of its subnet: for a flat subnet it is that of the network's
/// reference to the IPAM. As on the real server there is no address, and no error, when the subnet
/// that is asked for by its id is full.
///
/// # Errors
/// The server's texts when there is no such subnet or no address.
pub fn allocate(
    state: &mut State,
    network: Uuid,
    wanted: Wanted<'_>,
    holder: &str,
) -> Result<(Option<IpAddr>, String)> {
    if wanted.subnet.is_some() {
        return of_subnet(state, network, wanted, holder);
    }
    let ipams = state.store.get(network);
    let ipams = ipams.is_some_and(|network| !network.refs_to(state.kinds.network_ipam).is_empty());
    if wanted.address.is_some() && !ipams {
        return Err(ApiError::traceback("KeyError: 'network_ipam_refs'"));
    }
    let sources = match wanted.address {
        Some(_) => vec![Source::Own, Source::Flat],
        None => sources(state, network),
    };
    for source in &sources {
        let owners = source.owners(state, network);
        for owner in owners {
            if let Ok((address, subnet)) = state.allocate(&[owner], wanted, holder) {
                let of_reference = reference_id(state, network, owner);
                return Ok((Some(address), of_reference.unwrap_or(subnet)));
            }
        }
    }
    let own = state
        .spaces
        .get(&network)
        .is_some_and(|own| !own.is_empty());
    let flat = !Source::Flat.owners(state, network).is_empty();
    Err(ApiError::bad_request(match wanted.address {
        Some(_) if flat && !own => no_subnets(state, network),
        Some(_) => exhausted(state, network, &[]),
        None => {
            let tried = sources
                .last()
                .map(|last| last.names(state, network, wanted));
            exhausted(state, network, &tried.unwrap_or_default())
        }
    }))
}

/// Only the network's own subnets can be asked for by id.
fn of_subnet(
    state: &mut State,
    network: Uuid,
    wanted: Wanted<'_>,
    holder: &str,
) -> Result<(Option<IpAddr>, String)> {
    let id = wanted.subnet.unwrap_or_default();
    let own = state.spaces.get(&network).map_or(&[][..], Vec::as_slice);
    if own.is_empty() {
        return Err(ApiError::bad_request(no_subnets(state, network)));
    }
    let fits = |v6: bool| wanted.v6.is_none_or(|wanted| wanted == v6);
    let exists = own
        .iter()
        .any(|entry| entry.uuid == id && fits(entry.subnet.is_v6()));
    match state.allocate(&[network], wanted, holder) {
        Ok((address, subnet)) => Ok((Some(address), subnet)),
        Err(NoAddress::NoSubnet) => {
            let text = invalid_subnet(state, network, id);
            Err(ApiError::bad_request(text))
        }
        Err(NoAddress::Exhausted) if exists && wanted.address.is_none() => {
            Ok((None, id.to_owned()))
        }
        Err(NoAddress::Exhausted) => Err(ApiError::bad_request(exhausted(state, network, &[]))),
    }
}

/// Where the addresses of a network come from.
#[derive(Clone, Copy)]
enum Source {
    /// Its own subnets.
    Own,
    /// The subnets of its flat IPAMs.
    Flat,
}

impl Source {
    fn owners(self, state: &State, network: Uuid) -> Vec<Uuid> {
        match self {
            Self::Own => vec![network],
            Self::Flat => state.owners_of_subnets(network).split_off(1),
        }
    }

    /// The subnets that were tried, as texts name them.
    fn names(self, state: &State, network: Uuid, wanted: Wanted<'_>) -> Vec<String> {
        let owners = self.owners(state, network);
        let entries = owners.iter().filter_map(|owner| state.spaces.get(owner));
        let fits = |v6: bool| wanted.v6.is_none_or(|wanted| wanted == v6);
        entries
            .flatten()
            .filter(|entry| fits(entry.subnet.is_v6()))
            .map(|entry| entry.name.clone())
            .collect()
    }
}

/// The order in which the network's property says to try them.
fn sources(state: &State, network: Uuid) -> Vec<Source> {
    let network = state.store.get(network);
    match network.and_then(|network| network.text("address_allocation_mode")) {
        Some("user-defined-subnet-only") => vec![Source::Own],
        Some("flat-subnet-preferred") => vec![Source::Flat, Source::Own],
        Some("flat-subnet-only") => vec![Source::Flat],
        _ => vec![Source::Own, Source::Flat],
    }
}

/// The id that the network's reference to a flat IPAM has for all of the IPAM's subnets.
fn reference_id(state: &State, network: Uuid, ipam: Uuid) -> Option<String> {
    let network = state.store.get(network)?;
    let mut refs = network.refs_to(state.kinds.network_ipam).iter();
    let attr = &refs.find(|reference| reference.to == ipam)?.attr;
    let id = attr["ipam_subnets"].get(0)?.get("subnet_uuid");
    id.and_then(Value::as_str).map(str::to_owned)
}

fn no_subnets(state: &State, network: Uuid) -> String {
    let name = name_of(state, network);
    format!("Virtual-Network({name}) has no defined subnets")
}

/// What the server says of an id that no subnet of a network or an IPAM has.
pub fn invalid_subnet(state: &State, owner: Uuid, subnet: &str) -> String {
    let name = name_of(state, owner);
    format!("Virtual-Network({name}) has invalid subnet({subnet})")
}
