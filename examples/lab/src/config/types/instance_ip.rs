//! Instance IPs: which address they get, and when it is free again.

use std::net::IpAddr;

use serde_json::{Value, json};
use uuid::Uuid;

use super::network_address;
use crate::config::address;
use crate::config::draft::Draft;
use crate::config::error::{ApiError, Result};
use crate::config::spaces::{NoAddress, Wanted, exhausted};
use crate::config::state::State;
use crate::config::store::{Object, Ref};

pub fn before_create(state: &mut State, draft: &mut Draft<'_>) -> Result<()> {
    let network = first(draft.object.refs_to(state.kinds.virtual_network));
    if network.is_some_and(|network| is_unmanaged(state, network)) {
        return Ok(());
    }
    let ipam = first(draft.object.refs_to(state.kinds.network_ipam));
    let owners = owners(state, network, ipam)
        .ok_or_else(|| ApiError::bad_request("can only join an iterable"))?;
    let wanted_text = draft
        .object
        .text("instance_ip_address")
        .filter(|text| !text.is_empty());
    if network.is_none() && wanted_text.is_some() {
        let text = "allocation for requested IP from a network_ipam is not supported";
        return Err(ApiError::bad_request(text));
    }
    let wanted = match wanted_text {
        // The end of an HTML page is all that is left of this traceback.
        Some(text) => Some(address::parse(text).ok_or_else(|| ApiError::traceback("</pre>"))?),
        None => None,
    };
    if let Some(address) = wanted {
        check_free(state, draft, &owners, address)?;
    }
    let subnet = draft.object.text("subnet_uuid").filter(|id| !id.is_empty());
    let subnet = subnet.map(str::to_owned);
    let wanted = Wanted {
        address: wanted,
        subnet: subnet.as_deref(),
        v6: draft
            .object
            .text("instance_ip_family")
            .map(|family| family == "v6"),
    };
    let holder = draft.object.uuid.to_string();
    let (address, subnet) = match (network, ipam) {
        (Some(network), _) => network_address::allocate(state, network, wanted, &holder)?,
        (None, ipam) => of_ipam(state, ipam.unwrap_or_default(), wanted, &holder)?,
    };
    if let Some(address) = address {
        draft
            .object
            .props
            .insert("instance_ip_address".into(), json!(address));
    }
    draft
        .object
        .props
        .insert("subnet_uuid".into(), json!(subnet));
    Ok(())
}

/// An address of an IPAM, for an instance IP without a network.
fn of_ipam(
    state: &mut State,
    ipam: Uuid,
    wanted: Wanted<'_>,
    holder: &str,
) -> Result<(Option<IpAddr>, String)> {
    let found = state.allocate(&[ipam], wanted, holder);
    let (address, subnet) = found.map_err(|why| {
        ApiError::bad_request(match why {
            NoAddress::Exhausted => exhausted(state, ipam, &[]),
            NoAddress::NoSubnet => {
                let id = wanted.subnet.unwrap_or_default();
                network_address::invalid_subnet(state, ipam, id)
            }
        })
    })?;
    Ok((Some(address), subnet))
}

pub fn before_update(state: &mut State, draft: &mut Draft<'_>) -> Result<()> {
    let Some(stored) = state.store.get(draft.object.uuid) else {
        return Ok(());
    };
    let Some(network) = stored
        .refs_to(state.kinds.virtual_network)
        .first()
        .map(|r| r.to)
    else {
        return Ok(());
    };
    if state.store.get(network).is_none() {
        return Err(ApiError::unknown_id(&network.to_string()));
    }
    if is_unmanaged(state, network) {
        return Ok(());
    }
    let held = stored
        .props
        .get("instance_ip_address")
        .and_then(Value::as_str);
    let asked = draft
        .object
        .text("instance_ip_address")
        .filter(|text| !text.is_empty());
    if asked.is_some() && asked != held {
        return Err(ApiError::bad_request(
            "Instance IP Address can not be changed",
        ));
    }
    let owners = state.owners_of_subnets(network);
    let gateway = held
        .and_then(address::parse)
        .is_some_and(|address| state.is_gateway(&owners, address));
    let interfaces = draft.object.refs_to(state.kinds.virtual_machine_interface);
    if gateway
        && interfaces
            .iter()
            .any(|reference| has_machine(state, reference.to))
    {
        return Err(ApiError::bad_request(
            "Gateway IP cannot be used by VM port",
        ));
    }
    Ok(())
}

/// The address is free at once. As on the real server it is lost when the reference to the
/// network was removed before.
pub fn after_delete(state: &mut State, object: &Object) {
    let network = first(object.refs_to(state.kinds.virtual_network));
    let ipam = first(object.refs_to(state.kinds.network_ipam));
    let held = object.text("instance_ip_address").and_then(address::parse);
    if let (Some(owners), Some(address)) = (owners(state, network, ipam), held) {
        state.free(&owners, address);
    }
}

fn first(refs: &[Ref]) -> Option<Uuid> {
    refs.first().map(|r| r.to)
}

/// Who has the address space of an instance IP that refers to these.
fn owners(state: &State, network: Option<Uuid>, ipam: Option<Uuid>) -> Option<Vec<Uuid>> {
    let of_network = network.map(|network| state.owners_of_subnets(network));
    of_network.or_else(|| ipam.map(|ipam| vec![ipam]))
}

/// Whether the addresses of a network are not the server's to hand out.
fn is_unmanaged(state: &State, network: Uuid) -> bool {
    let name = state
        .store
        .get(network)
        .map(|network| network.fq_name.join(":"));
    name.is_some_and(|name| {
        name == "default-domain:default-project:ip-fabric"
            || name == "default-domain:default-project:__link_local__"
    })
}

/// An address that is asked for must be free; a gateway may be had, but not by a machine.
fn check_free(state: &State, draft: &Draft<'_>, owners: &[Uuid], address: IpAddr) -> Result<()> {
    if !state.is_taken(owners, address) {
        return Ok(());
    }
    if !state.is_gateway(owners, address) {
        if draft.address_was_free {
            return Err(state.address_is_held(owners, address));
        }
        return Err(ApiError::new(409, "IP address already in use"));
    }
    let sent = draft
        .sent
        .get("virtual_machine_interface_refs")
        .and_then(Value::as_array);
    for element in sent.into_iter().flatten() {
        // The server looks only at the id here, and fails without one.
        let id = element
            .get("uuid")
            .ok_or_else(|| ApiError::traceback("KeyError: 'uuid'"))?;
        let id = id.as_str().and_then(crate::config::identifier::parse_uuid);
        if id.is_some_and(|id| has_machine(state, id)) {
            return Err(ApiError::bad_request(
                "Gateway IP cannot be used by VM port",
            ));
        }
    }
    Ok(())
}

fn has_machine(state: &State, interface: Uuid) -> bool {
    let interface = state.store.get(interface);
    interface.is_some_and(|object| !object.refs_to(state.kinds.virtual_machine).is_empty())
}
