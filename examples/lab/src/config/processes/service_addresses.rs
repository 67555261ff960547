//! The service monitor's part: instance IPs that are shared by the interfaces of one role in all port
//! tuples of a service instance (`config-api.md` section 9.2).

use std::collections::{BTreeMap, BTreeSet};

use contrail_core::identity::Family;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::config::spaces::Wanted;
use crate::config::state::State;
use crate::config::store::Ref;
use crate::view::members;

/// Where the addresses come from.
const IPAM: [&str; 3] = [
    "default-domain",
    "default-project",
    "service-chain-flat-ipam",
];

/// An address that should be there.
struct Shared {
    instance: Uuid,
    role: String,
    family: Family,
    interfaces: BTreeSet<Uuid>,
}

/// The name of the shared address of a role.
pub(super) fn name(instance: Uuid, role: &str, family: Family) -> String {
    format!("{instance}-{role}-{family}")
}

pub(super) fn follow(state: &mut State) {
    let wanted: BTreeMap<String, Shared> = wanted(state)
        .into_iter()
        .map(|shared| (name(shared.instance, &shared.role, shared.family), shared))
        .collect();
    for id in state.made.addresses.clone() {
        let is_wanted = |name: &str| wanted.contains_key(name);
        if !state.store.get(id).is_some_and(|ip| is_wanted(ip.name())) {
            state.made.addresses.remove(&id);
            state.discard(id);
        }
    }
    for (name, shared) in wanted {
        let found = state.store.find(state.kinds.instance_ip, &[&name]);
        if let Some(id) = found.or_else(|| make(state, name, &shared)) {
            assign(state, id, &shared);
        }
    }
}

fn wanted(state: &State) -> Vec<Shared> {
    let kinds = state.kinds;
    let mut wanted = Vec::new();
    for (_, instance) in state.store.listed(kinds.service_instance) {
        let mut by_role: BTreeMap<String, BTreeSet<Uuid>> = BTreeMap::new();
        for tuple in state.store.children_of(instance, kinds.port_tuple) {
            for (role, interface) in members(state, *tuple) {
                by_role.entry(role).or_default().insert(interface);
            }
        }
        let known = roles(state, instance);
        let by_role = by_role.into_iter().filter(|(role, _)| known.contains(role));
        for (role, interfaces) in by_role {
            wanted.extend(Family::ALL.map(|family| Shared {
                instance,
                role: role.clone(),
                family,
                interfaces: interfaces.clone(),
            }));
        }
    }
    wanted
}

/// The roles that the template of a service instance has.
fn roles(state: &State, instance: Uuid) -> BTreeSet<String> {
    let template = state
        .store
        .get(instance)
        .and_then(|object| object.refs_to(state.kinds.service_template).first())
        .and_then(|reference| state.store.get(reference.to));
    let properties = template.and_then(|t| t.props.get("service_template_properties"));
    let types = properties.and_then(|p| p["interface_type"].as_array());
    let role = |kind: &Value| Some(kind["service_interface_type"].as_str()?.to_owned());
    types.into_iter().flatten().filter_map(role).collect()
}

/// Makes the instance IP; `None` when there is no address left.
fn make(state: &mut State, name: String, shared: &Shared) -> Option<Uuid> {
    let kinds = state.kinds;
    let ipam = state.store.find(kinds.network_ipam, &IPAM)?;
    let wanted = Wanted {
        v6: Some(shared.family == Family::V6),
        ..Wanted::default()
    };
    let (address, subnet) = state.allocate(&[ipam], wanted, &name).ok()?;
    let props = json!({
        "display_name": name, "instance_ip_family": shared.family.to_string(),
        "instance_ip_address": address, "subnet_uuid": subnet,
        "service_instance_ip": true, "instance_ip_secondary": true,
        "instance_ip_mode": "active-active",
    });
    let id = state.make(kinds.instance_ip, vec![name], None, object(props));
    if let Some(props) = state.store.props_mut(id) {
        props["id_perms"]["user_visible"] = json!(false);
    }
    state.store.set_ref(id, kinds.network_ipam, plain(ipam));
    let attr = json!({"interface_type": shared.role});
    let reference = Ref { attr, ..plain(id) };
    state
        .store
        .set_ref(shared.instance, kinds.instance_ip, reference);
    state.made.addresses.insert(id);
    Some(id)
}

/// Gives the address to the interfaces that should have it, and to no other.
fn assign(state: &mut State, id: Uuid, shared: &Shared) {
    let kind = state.kinds.virtual_machine_interface;
    let refs = state.store.get(id).map(|ip| ip.refs_to(kind).to_vec());
    let present: BTreeSet<Uuid> = refs.into_iter().flatten().map(|r| r.to).collect();
    for interface in present.difference(&shared.interfaces) {
        state.store.remove_ref(id, kind, *interface);
        state.touch();
    }
    for interface in shared.interfaces.difference(&present) {
        let relaxed = Ref {
            relaxed: true,
            ..plain(*interface)
        };
        state.store.set_ref(id, kind, relaxed);
        state.touch();
    }
}

fn plain(to: Uuid) -> Ref {
    Ref {
        to,
        attr: Value::Null,
        relaxed: false,
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
