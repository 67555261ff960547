//! The service monitor's part: instance IPs that are shared by the interfaces of one role in all port
//! tuples of a service instance. They stay as long as the service instance does.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use contrail_core::values::Family;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::config::spaces::Wanted;
use crate::config::state::State;
use crate::config::store::Ref;
use crate::view::members;

use super::objects::{object, plain};

/// Where the addresses come from.
const IPAM: [&str; 3] = [
    "default-domain",
    "default-project",
    "service-chain-flat-ipam",
];

/// An address as the controller writes it: one of IPv6 that is an IPv4 address behind zeros ends like one.
fn text(address: IpAddr) -> String {
    match address {
        IpAddr::V6(v6) if matches!(v6.segments(), [0, 0, 0, 0, 0, 0, high, _] if high != 0) => {
            let [.., a, b, c, d] = v6.octets();
            format!("::{}", Ipv4Addr::new(a, b, c, d))
        }
        other => other.to_string(),
    }
}

/// An address that should be there.
struct Shared {
    instance: Uuid,
    role: String,
    family: Family,
    interfaces: BTreeSet<Uuid>,
}

/// The name of the shared address of a role.
fn name(instance: Uuid, role: &str, family: Family) -> String {
    format!("{instance}-{role}-{family}")
}

pub(super) fn follow(state: &mut State) {
    let wanted: BTreeMap<String, Shared> = wanted(state)
        .into_iter()
        .map(|shared| (name(shared.instance, &shared.role, shared.family), shared))
        .collect();
    for (id, shared_by) in state.made.shared.clone() {
        if state.store.get(shared_by).is_none() {
            state.made.shared.remove(&id);
            state.discard(id);
        }
    }
    for (name, mut shared) in wanted {
        let found = state.store.find(state.kinds.instance_ip, &[&name]);
        let after = &state.made.memory;
        shared
            .interfaces
            .extend(after.shown_after_deletion(shared.instance, &shared.role));
        let is_wanted = !shared.interfaces.is_empty();
        let id = found.or_else(|| is_wanted.then(|| make(state, name, &shared)).flatten());
        if let Some(id) = id {
            assign(state, id, &shared);
        }
    }
}

/// The shared addresses of a role.
pub(super) fn addresses(state: &State, instance: Uuid, role: &str) -> BTreeMap<Family, String> {
    let of = |family| {
        let name = name(instance, role, family);
        let id = state.store.find(state.kinds.instance_ip, &[name])?;
        let address = state.store.get(id)?.text("instance_ip_address")?;
        Some((family, address.to_owned()))
    };
    Family::ALL.into_iter().filter_map(of).collect()
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
        for role in roles(state, instance) {
            let interfaces = by_role.remove(&role).unwrap_or_default();
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

/// An address for the controller's own use, with the IPAM that it is of; `None` when none is left.
pub(super) fn allocate(state: &mut State, family: Family, holder: &str) -> Option<(Uuid, String)> {
    let ipam = state.store.find(state.kinds.network_ipam, &IPAM)?;
    let wanted = Wanted {
        v6: Some(family == Family::V6),
        ..Wanted::default()
    };
    let (address, _) = state.allocate(&[ipam], wanted, holder).ok()?;
    Some((ipam, text(address)))
}

/// Makes the instance IP; `None` when there is no address left.
fn make(state: &mut State, name: String, shared: &Shared) -> Option<Uuid> {
    let kinds = state.kinds;
    let (ipam, address) = allocate(state, shared.family, &name)?;
    let props = json!({
        "display_name": name, "instance_ip_family": shared.family.to_string(),
        "instance_ip_address": address,
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
    state.made.shared.insert(id, shared.instance);
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
