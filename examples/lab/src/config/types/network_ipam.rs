//! IPAMs: where subnets are kept, and the pools of flat ones.

use serde_json::{Value, json};

use super::subnets::{self, BuildError};
use crate::config::alloc::SpaceSubnet;
use crate::config::draft::Draft;
use crate::config::error::{ApiError, Result};
use crate::config::state::State;

pub fn before_create(state: &mut State, draft: &mut Draft<'_>) -> Result<()> {
    if draft
        .object
        .props
        .get("ipam_subnet_method")
        .is_none_or(Value::is_null)
    {
        let method = json!("user-defined-subnet");
        draft
            .object
            .props
            .insert("ipam_subnet_method".into(), method);
    }
    let flat = draft.object.text("ipam_subnet_method") == Some("flat-subnet");
    let named = draft
        .object
        .props
        .get("ipam_subnets")
        .is_some_and(|value| !value.is_null());
    if !flat && named {
        let text = "ipam-subnets are allowed only with flat-subnet";
        return Err(ApiError::bad_request(text));
    }
    if flat {
        let space = build(draft, &[])?;
        state.spaces.insert(draft.object.uuid, space);
    }
    Ok(())
}

pub fn before_update(state: &mut State, draft: &mut Draft<'_>) -> Result<()> {
    let stored = state.store.get(draft.object.uuid);
    let method = stored.and_then(|ipam| ipam.props.get("ipam_subnet_method"));
    let asked = draft
        .object
        .props
        .get("ipam_subnet_method")
        .filter(|value| !value.is_null());
    if asked.is_some() && asked != method {
        return Err(ApiError::bad_request(
            "ipam_subnet_method can not be changed",
        ));
    }
    let flat = method.is_some_and(|method| method == "flat-subnet");
    if flat && draft.object.props.contains_key("ipam_subnets") {
        let old = state
            .spaces
            .get(&draft.object.uuid)
            .cloned()
            .unwrap_or_default();
        let space = build(draft, &old)?;
        state.spaces.insert(draft.object.uuid, space);
    }
    Ok(())
}

fn build(draft: &mut Draft<'_>, old: &[SpaceSubnet]) -> Result<Vec<SpaceSubnet>> {
    let list = draft
        .object
        .props
        .get_mut("ipam_subnets")
        .and_then(|value| value.get_mut("subnets"));
    let Some(Value::Array(entries)) = list else {
        return Ok(Vec::new());
    };
    subnets::check(entries).map_err(|text| ApiError::new(409, text))?;
    let names: Vec<String> = entries.iter().filter_map(subnets::cidr).collect();
    subnets::check_overlap(&names).map_err(ApiError::bad_request)?;
    let mut space = Vec::new();
    for entry in entries {
        let name = subnets::cidr(entry);
        let old = old.iter().find(|old| Some(&old.name) == name.as_ref());
        if let Some(change) = old.and_then(|old| subnets::gateway_change(entry, old)) {
            let text = format!("default gateway change is not allowed {change}");
            return Err(ApiError::bad_request(text));
        }
        let refused = |error: BuildError| ApiError::new(500, error.text(&draft.object.fq_name));
        space.push(subnets::build(entry, old).map_err(refused)?);
    }
    Ok(space)
}
