//! `/virtual-network/<id>/ip-alloc`, `ip-free` and `subnet-ip-count`.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::config::address;
use crate::config::call::{Call, Reply};
use crate::config::error::{ApiError, Result};
use crate::config::identifier::parse_uuid;
use crate::config::spaces::{NoAddress, Wanted, exhausted};
use crate::config::state::State;

/// Whether a path ends in one of these actions.
pub fn is_action(name: &str) -> bool {
    ["ip-alloc", "ip-free", "subnet-ip-count"].contains(&name)
}

/// Runs one of the actions on a virtual network.
///
/// # Errors
/// 404 for an unknown network; otherwise those of the action.
pub fn run(state: &mut State, call: &Call<'_>, id: &str, action: &str) -> Result<Reply> {
    let network = parse_uuid(id)
        .filter(|uuid| {
            state
                .store
                .get_kind(state.kinds.virtual_network, *uuid)
                .is_some()
        })
        .ok_or_else(|| ApiError::new(404, format!("Virtual Network {id} not found!")))?;
    match action {
        "ip-alloc" => allocate(state, call, network),
        "ip-free" => free(state, call, network),
        _ => count(state, call, network),
    }
}

/// Reserves addresses for nobody: an instance IP cannot have one of them afterwards.
fn allocate(state: &mut State, call: &Call<'_>, network: Uuid) -> Result<Reply> {
    let body = call.json_object()?;
    let owners = state.owners_of_subnets(network);
    let wanted = Wanted {
        address: None,
        subnet: body.get("subnet").and_then(Value::as_str),
        v6: body
            .get("family")
            .filter(|f| !f.is_null())
            .map(|family| family == "v6"),
    };
    let count = body.get("count").map_or(Some(1), Value::as_u64);
    let mut addresses = Vec::new();
    for _ in 0..count.ok_or_else(ApiError::internal)? {
        let holder = Uuid::new_v4().to_string();
        let (address, _) = state
            .allocate(&owners, wanted, &holder)
            .map_err(|why| match why {
                NoAddress::NoSubnet => ApiError::internal(),
                // Not 400, as it is for an instance IP.
                NoAddress::Exhausted => ApiError::new(409, exhausted(state, network, &[])),
            })?;
        addresses.push(address);
        state.touch();
    }
    Ok(Reply::Json(json!({ "ip_addr": addresses })))
}

fn free(state: &mut State, call: &Call<'_>, network: Uuid) -> Result<Reply> {
    let body = call.json_object()?;
    let list = body.get("ip_addr").and_then(Value::as_array);
    let texts = list.ok_or_else(ApiError::internal)?;
    let addresses: Option<Vec<_>> = texts
        .iter()
        .map(|text| text.as_str().and_then(address::parse))
        .collect();
    let owners = state.owners_of_subnets(network);
    for address in addresses.ok_or_else(ApiError::internal)? {
        state.free(&owners, address);
    }
    state.touch();
    Ok(Reply::Empty)
}

fn count(state: &State, call: &Call<'_>, network: Uuid) -> Result<Reply> {
    let body = call.json_object()?;
    let list = body.get("subnet_list").and_then(Value::as_array);
    let space = state.spaces.get(&network);
    let count = |id: &Value| {
        let mut entries = space.into_iter().flatten();
        entries
            .find(|entry| *id == entry.uuid.as_str())
            .map_or(0, |entry| entry.subnet.count())
    };
    let counts: Vec<usize> = list
        .ok_or_else(ApiError::internal)?
        .iter()
        .map(count)
        .collect();
    Ok(Reply::Json(json!({ "ip_count_list": counts })))
}
