//! Virtual networks: subnets, route targets, sharing, the default routing instance.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::subnets::{self, BuildError};
use crate::config::alloc::SpaceSubnet;
use crate::config::check::is_falsy;
use crate::config::draft::Draft;
use crate::config::error::{ApiError, Result};
use crate::config::make::named_props;
use crate::config::python_repr::repr_list;
use crate::config::state::State;
use crate::config::store::Object;
use crate::config::{address, meta};

const TARGET_LISTS: [&str; 3] = [
    "route_target_list",
    "import_route_target_list",
    "export_route_target_list",
];

pub fn before_create(state: &mut State, draft: &mut Draft<'_>) -> Result<()> {
    check_multi_policy(&draft.object.props)?;
    share_new(&mut draft.object.props);
    if draft
        .object
        .props
        .get("virtual_network_network_id")
        .is_some_and(|id| !id.is_null())
    {
        return Err(ApiError::new(403, "Cannot set the virtual network ID"));
    }
    check_subnets(state, draft)?;
    check_route_targets(&draft.object.props)?;
    let space = build_space(state, draft, &[])?;
    let number = state.network_ids.take();
    draft
        .object
        .props
        .insert("virtual_network_network_id".into(), json!(number));
    set_space(state, draft.object.uuid, space);
    Ok(())
}

pub fn after_create(state: &mut State, object: &Object) {
    let mut fq_name = object.fq_name.clone();
    fq_name.push(object.name().to_owned());
    let props = json!({"routing_instance_is_default": true, "routing_instance_fabric_snat": false});
    let kind = state.kinds.routing_instance;
    // It is there if this network has overwritten one of the same name.
    if state.store.find(kind, &fq_name).is_some() {
        return;
    }
    let parent = Some((object.kind, object.uuid));
    state.make(kind, fq_name, parent, named_props(object.name(), props));
}

pub fn before_update(state: &mut State, draft: &mut Draft<'_>) -> Result<()> {
    let stored = match state.store.get(draft.object.uuid) {
        Some(object) => object.clone(),
        None => return Ok(()),
    };
    share_stored(&mut draft.object.props, &stored.props)?;
    check_route_targets(&draft.object.props)?;
    let number = draft
        .object
        .props
        .get("virtual_network_network_id")
        .filter(|id| !id.is_null());
    if number.is_some_and(|id| stored.props.get("virtual_network_network_id") != Some(id)) {
        return Err(ApiError::new(403, "Cannot update the virtual network ID"));
    }
    let mut merged = stored.props.clone();
    merged.extend(draft.object.props.clone());
    check_multi_policy(&merged)?;
    if !draft.object.refs.contains_key(&state.kinds.network_ipam) {
        return Ok(());
    }
    check_subnets(state, draft)?;
    check_addresses_stay(state, draft)?;
    check_gateways_stay(state, draft, &stored)?;
    let old = state
        .spaces
        .get(&draft.object.uuid)
        .cloned()
        .unwrap_or_default();
    let space = build_space(state, draft, &old)?;
    renumber_addresses(state, draft.object.uuid, &space);
    set_space(state, draft.object.uuid, space);
    Ok(())
}

pub fn after_delete(state: &mut State, object: &Object) {
    // The default routing instance and the access lists go with their network.
    let kinds = [
        state.kinds.routing_instance,
        state.kinds.access_control_list,
    ];
    for kind in kinds {
        let mut fq_name = object.fq_name.clone();
        fq_name.push(object.name().to_owned());
        if let Some(child) = state.store.find(kind, &fq_name) {
            state.discard(child);
        }
    }
    if let Some(number) = object.number("virtual_network_network_id") {
        state.network_ids.free(number);
    }
    set_space(state, object.uuid, Vec::new());
    state.spaces.remove(&object.uuid);
}

/// Replaces the subnets of a network, and what the OpenStack plug-in notes of them for itself.
fn set_space(state: &mut State, uuid: Uuid, space: Vec<SpaceSubnet>) {
    for old in state.spaces.remove(&uuid).into_iter().flatten() {
        state.key_values.remove(&old.uuid);
    }
    for entry in &space {
        let value = format!("{uuid} {}", entry.name);
        state.key_values.insert(entry.uuid.clone(), value);
    }
    state.spaces.insert(uuid, space);
}

/// A network is shared with all tenants exactly when everybody may do everything with it.
fn share_new(props: &mut Map<String, Value>) {
    let shared = props.get("is_shared").is_some_and(|value| !is_falsy(value));
    let open = props
        .get("perms2")
        .is_some_and(|perms| perms["global_access"] == 7);
    if shared && let Some(perms) = props.get_mut("perms2") {
        perms["global_access"] = json!(7);
    }
    props.insert("is_shared".into(), json!(shared || open));
}

fn share_stored(changes: &mut Map<String, Value>, stored: &Map<String, Value>) -> Result<()> {
    let given = |name: &str| changes.get(name).filter(|value| !value.is_null()).cloned();
    let (shared, external) = (given("is_shared"), given("router_external"));
    let access = given("perms2").and_then(|perms| perms["global_access"].as_i64());
    let is_true = |value: &Option<Value>| value.as_ref().is_some_and(|v| !is_falsy(v));
    match (access, &shared, &external) {
        (Some(access), Some(_), _) if is_true(&shared) != (access == 7) && !is_true(&external) => {
            let shown = if is_true(&shared) { "True" } else { "False" };
            let text = format!("Inconsistent is_shared ({shown}) and global_access ({access})");
            Err(ApiError::bad_request(text))
        }
        (Some(access), _, None) => {
            changes.insert("is_shared".into(), json!(access != 0));
            Ok(())
        }
        (None, Some(_), _) | (None, _, Some(_)) => {
            let mut perms = stored.get("perms2").cloned().unwrap_or_default();
            perms["global_access"] = match (is_true(&shared), is_true(&external)) {
                (true, _) => json!(7),
                (_, true) => json!(5),
                _ => json!(0),
            };
            changes.insert("perms2".into(), perms);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn targets(props: &Map<String, Value>, list: &str) -> Vec<String> {
    let targets = props
        .get(list)
        .and_then(|list| list["route_target"].as_array());
    let targets = targets.into_iter().flatten();
    targets.map(crate::config::python_repr::str_of).collect()
}

fn check_multi_policy(props: &Map<String, Value>) -> Result<()> {
    if props
        .get("multi_policy_service_chains_enabled")
        .is_none_or(is_falsy)
    {
        return Ok(());
    }
    let [both, import, export] = TARGET_LISTS.map(|list| targets(props, list));
    if both.is_empty() && !import.iter().any(|target| export.contains(target)) {
        return Ok(());
    }
    let text = "Multi policy service chains are not supported, \
                with both import export external route targets";
    Err(ApiError::new(409, text))
}

/// The global autonomous system: its upper route targets are the server's own.
const GLOBAL_ASN: u64 = 64512;
const OWN_TARGETS: std::ops::RangeInclusive<u64> = 8_000_000..=16_777_216;

fn check_route_targets(props: &Map<String, Value>) -> Result<()> {
    for target in TARGET_LISTS.iter().flat_map(|list| targets(props, list)) {
        let parts: Vec<&str> = target.split(':').collect();
        let numbers = match parts.as_slice() {
            ["target", asn, number] => number.parse::<u64>().ok().map(|number| (*asn, number)),
            _ => None,
        };
        let malformed = "Route target must be of the format 'target:<asn>:<number>' or \
                         'target:<ip>:<number>'";
        let (asn, number) = numbers.ok_or_else(|| ApiError::bad_request(malformed))?;
        let is_ip = asn.parse::<std::net::Ipv4Addr>().is_ok();
        let asn: u64 = match asn.parse() {
            Ok(asn) => asn,
            Err(_) if is_ip => continue,
            Err(_) => return Err(ApiError::bad_request(malformed)),
        };
        if asn == GLOBAL_ASN && OWN_TARGETS.contains(&number) {
            return Err(ApiError::bad_request(
                "Configured route target must use ASN that is different from global ASN or route \
                 target value must be less than 8000000 and greater than 16777216",
            ));
        }
    }
    Ok(())
}

/// Checks the subnets on the references to IPAMs, and gives them ids.
fn check_subnets(state: &State, draft: &mut Draft<'_>) -> Result<()> {
    let ipam_kind = state.kinds.network_ipam;
    let l3 = {
        let stored = state
            .store
            .get(draft.object.uuid)
            .map(|object| &object.props);
        let named = draft.object.props.get("virtual_network_properties");
        let props = named.or_else(|| stored?.get("virtual_network_properties"));
        props.is_some_and(|props| props["forwarding_mode"] == "l3")
    };
    let mut names = Vec::new();
    let mut flat_names = Vec::new();
    for reference in draft.object.refs.get_mut(&ipam_kind).into_iter().flatten() {
        if reference.attr.is_null() {
            let text = "TypeError: 'NoneType' object is not subscriptable";
            return Err(ApiError::traceback(text));
        }
        let flat = state.spaces.get(&reference.to);
        let entries = subnets::lists_of(&mut reference.attr)
            .ok_or_else(|| ApiError::traceback("KeyError: 'ipam_subnets'"))?;
        if let Some(flat) = flat {
            if !subnets::is_flat(entries) {
                let text = "with flat-subnet, network can not have user-defined subnet";
                return Err(ApiError::bad_request(text));
            }
            if !l3 {
                let text = "flat-subnet is allowed only with l3 network";
                return Err(ApiError::bad_request(text));
            }
            flat_names.extend(flat.iter().map(|entry| entry.name.clone()));
            if entries.is_empty() {
                entries.push(json!({}));
            }
        } else {
            subnets::check(entries).map_err(|text| ApiError::new(409, text))?;
            names.extend(entries.iter().filter_map(subnets::cidr));
        }
        subnets::ensure_uuids(entries);
    }
    if draft.object.parent.is_none() {
        return Err(ApiError::traceback("KeyError: 'parent_uuid'"));
    }
    flat_names.extend(names);
    subnets::check_overlap(&flat_names).map_err(ApiError::bad_request)
}

/// Makes the allocators, keeping those of subnets that stay.
fn build_space(
    state: &State,
    draft: &mut Draft<'_>,
    old: &[SpaceSubnet],
) -> Result<Vec<SpaceSubnet>> {
    let mut space = Vec::new();
    let fq_name = draft.object.fq_name.clone();
    for reference in draft
        .object
        .refs
        .get_mut(&state.kinds.network_ipam)
        .into_iter()
        .flatten()
    {
        let entries = subnets::lists_of(&mut reference.attr);
        let entries = entries.filter(|entries| !subnets::is_flat(entries));
        for entry in entries.into_iter().flatten() {
            let name = subnets::cidr(entry);
            let old = old.iter().find(|old| Some(&old.name) == name.as_ref());
            let built = subnets::build(entry, old);
            let refused = |error: BuildError| ApiError::new(500, error.text(&fq_name));
            space.push(built.map_err(refused)?);
        }
    }
    Ok(space)
}

/// No address in use may lose its subnet.
fn check_addresses_stay(state: &State, draft: &Draft<'_>) -> Result<()> {
    if state
        .spaces
        .get(&draft.object.uuid)
        .is_none_or(Vec::is_empty)
    {
        return Ok(());
    }
    let ipams = draft.object.refs_to(state.kinds.network_ipam);
    let entries = ipams
        .iter()
        .filter_map(|ipam| ipam.attr["ipam_subnets"].as_array());
    let names: Vec<String> = entries.flatten().filter_map(subnets::cidr).collect();
    let networks: Vec<ipnetwork::IpNetwork> =
        names.iter().filter_map(|name| name.parse().ok()).collect();
    for id in state
        .store
        .back_refs_of(draft.object.uuid, state.kinds.instance_ip)
    {
        let held = state
            .store
            .get(id)
            .and_then(|iip| iip.props.get("instance_ip_address"));
        let Some(text) = held.and_then(Value::as_str) else {
            continue;
        };
        let stays = address::parse(text)
            .is_none_or(|address| networks.iter().any(|network| network.contains(address)));
        if !stays {
            let names = repr_list(&names);
            let text = format!("Cannot update IP Block, IP({text}) is not in subnets ({names})");
            return Err(ApiError::new(409, text));
        }
    }
    Ok(())
}

/// The gateway of a subnet cannot change. Which check finds it depends on whether the reference
/// was sent with the IPAM's id.
fn check_gateways_stay(state: &State, draft: &Draft<'_>, stored: &Object) -> Result<()> {
    let sent_with_id = |to: Uuid| {
        let refs = draft
            .sent
            .get("network_ipam_refs")
            .and_then(Value::as_array);
        let mut refs = refs.into_iter().flatten();
        refs.any(|element| element["uuid"] == json!(to))
    };
    let space = state.spaces.get(&stored.uuid);
    for ipam in draft.object.refs_to(state.kinds.network_ipam) {
        for entry in ipam.attr["ipam_subnets"].as_array().into_iter().flatten() {
            let name = subnets::cidr(entry).unwrap_or_default();
            let old = space.into_iter().flatten().find(|old| old.name == name);
            let Some(reason) = old.and_then(|old| subnets::gateway_change(entry, old)) else {
                continue;
            };
            return Err(if sent_with_id(ipam.to) {
                ApiError::bad_request(format!("default gateway change is not allowed {reason}"))
            } else {
                let network = stored.fq_name.join(":");
                ApiError::new(
                    500,
                    format!("Virtual-Network({network}) has invalid subnet({name})"),
                )
            });
        }
    }
    Ok(())
}

/// Instance IPs follow the new id of their subnet.
fn renumber_addresses(state: &mut State, network: Uuid, space: &[SpaceSubnet]) {
    let kind = state.kinds.instance_ip;
    let ids: Vec<Uuid> = state.store.back_refs_of(network, kind).collect();
    for id in ids {
        let Some(props) = state.store.props_mut(id) else {
            continue;
        };
        let held = props.get("instance_ip_address").and_then(Value::as_str);
        let Some(address) = held.and_then(address::parse) else {
            continue;
        };
        let Some(entry) = space.iter().find(|entry| entry.subnet.contains(address)) else {
            continue;
        };
        if props.get("subnet_uuid") != Some(&json!(entry.uuid)) {
            props.insert("subnet_uuid".into(), json!(entry.uuid));
            meta::stamp_modified(props);
        }
    }
}
