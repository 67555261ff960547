//! Floating IPs: an address of the network whose pool they are in.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::config::address;
use crate::config::draft::Draft;
use crate::config::error::{ApiError, Result};
use crate::config::schema::Kind;
use crate::config::spaces::{Wanted, exhausted};
use crate::config::state::State;
use crate::config::store::Object;

pub fn before_create(state: &mut State, draft: &mut Draft<'_>) -> Result<()> {
    let Some(network) = network(state, draft.object.parent) else {
        return Ok(());
    };
    let owners = state.owners_of_subnets(network);
    let text = draft
        .object
        .text("floating_ip_address")
        .filter(|text| !text.is_empty());
    let wanted = match text {
        Some(text) => Some(address::parse(text).ok_or_else(|| ApiError::traceback("</pre>"))?),
        None => None,
    };
    if wanted.is_some_and(|address| state.is_taken(&owners, address)) {
        return Err(ApiError::new(409, "Ip address already in use"));
    }
    let wanted = Wanted {
        address: wanted,
        subnet: None,
        v6: draft
            .object
            .text("floating_ip_address_family")
            .map(|family| family == "v6"),
    };
    let found = state.allocate(&owners, wanted, &draft.object.uuid.to_string());
    let (address, _) = found.map_err(|_| ApiError::bad_request(exhausted(state, network, &[])))?;
    draft
        .object
        .props
        .insert("floating_ip_address".into(), json!(address));
    Ok(())
}

pub fn after_delete(state: &mut State, object: &Object) {
    let held = object
        .props
        .get("floating_ip_address")
        .and_then(Value::as_str);
    let address = held.and_then(address::parse);
    if let (Some(network), Some(address)) = (network(state, object.parent), address) {
        let owners = state.owners_of_subnets(network);
        state.free(&owners, address);
    }
}

/// The network of the pool that is the parent.
fn network(state: &State, parent: Option<(Kind, Uuid)>) -> Option<Uuid> {
    let (kind, pool) = parent?;
    if kind != state.kinds.floating_ip_pool {
        return None;
    }
    state.store.get(pool)?.parent.map(|(_, network)| network)
}
