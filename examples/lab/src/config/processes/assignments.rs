//! The schema transformer's `vrf_assign_table`: what an interface between two service instances of a chain
//! sends goes on by the chain's routing instance, but for what comes from the interface's own addresses.

use std::collections::BTreeMap;

use contrail_core::FqName;
use contrail_core::values::Family;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::access_lists::protocol;
use super::chains::{self, Mode};
use super::objects::set_props;
use super::routing::primary;
use crate::config::address;
use crate::config::made::Chain;
use crate::config::state::State;
use crate::view::{NetworkView, PolicyRule, Ports, members};

/// Sets the tables of the interfaces that need one, and removes the others'.
pub(super) fn follow(state: &mut State, networks: &[NetworkView]) {
    let mut steered: BTreeMap<Uuid, Vec<Value>> = BTreeMap::new();
    for chain in state.made.built_chains() {
        let mut rules = networks.iter().flat_map(|network| &network.rules);
        if let Some(rule) = rules.find(|rule| chain.rules.contains(&rule.id)) {
            for (interface, rules) in between(state, chain, rule) {
                steered.entry(interface).or_default().extend(rules);
            }
        }
    }
    let before = std::mem::take(&mut state.made.assigned);
    for gone in before.iter().filter(|id| !steered.contains_key(id)) {
        set_table(state, *gone, Value::Null);
    }
    state.made.assigned = steered.keys().copied().collect();
    for (interface, rules) in steered {
        let mut all = own(state, interface);
        all.extend(rules);
        set_table(state, interface, json!({"vrf_assign_rule": all}));
    }
}

fn set_table(state: &mut State, interface: Uuid, table: Value) {
    let props = Map::from_iter([("vrf_assign_table".to_owned(), table)]);
    set_props(state, interface, props);
}

/// The interfaces of a chain that are not at its ends, with the rules that lead on from them.
fn between(state: &State, chain: &Chain, rule: &PolicyRule) -> Vec<(Uuid, Vec<Value>)> {
    let kinds = state.kinds;
    let (first, last) = (chain.services.first(), chain.services.last());
    let mut found = Vec::new();
    for service in &chain.services {
        let instance = state.store.find(kinds.service_instance, service.parts());
        let routed = instance.filter(|id| {
            let mode = chains::mode(state, *id);
            matches!(mode, Some(Mode::InNetwork | Mode::InNetworkNat))
        });
        let tuples = routed.map(|id| state.store.children_of(id, kinds.port_tuple));
        for tuple in tuples.into_iter().flatten() {
            let members = members(state, *tuple);
            let mut add = |role: &str, network, rules| {
                if let Some(interface) = members.get(role) {
                    let to = chain.routing_instance(network, service);
                    found.push((*interface, lead_on(rules, &to)));
                }
            };
            if Some(service) != first {
                add(
                    "left",
                    &chain.left,
                    (rule, &rule.destination_ports, &rule.source_ports),
                );
            }
            if Some(service) != last {
                add(
                    "right",
                    &chain.right,
                    (rule, &rule.source_ports, &rule.destination_ports),
                );
            }
        }
    }
    found
}

/// Rules that lead the packets of a policy's rule into a routing instance.
fn lead_on(
    (rule, sources, destinations): (&PolicyRule, &Ports, &Ports),
    to: &FqName,
) -> Vec<Value> {
    let ranges = |ports: &Ports| -> Vec<Value> {
        let range = |(first, last): (i64, i64)| json!({"start_port": first, "end_port": last});
        match ports.as_slice() {
            [] => vec![range((-1, -1))],
            some => some
                .iter()
                .map(|ports| range(((*ports.start()).into(), (*ports.end()).into())))
                .collect(),
        }
    };
    let mut rules = Vec::new();
    for source in ranges(sources) {
        for destination in ranges(destinations) {
            let matched = json!({
                "protocol": protocol(&rule.protocol), "ethertype": null,
                "src_address": null, "src_port": source,
                "dst_address": null, "dst_port": destination,
            });
            rules.push(assign(matched, to, true));
        }
    }
    rules
}

/// Rules that keep what comes from an interface's own addresses in its network.
fn own(state: &State, interface: Uuid) -> Vec<Value> {
    let kinds = state.kinds;
    let object = state.store.get(interface);
    let network = object.and_then(|o| o.refs_to(kinds.virtual_network).first());
    let Some(network) = network.and_then(|reference| state.store.get(reference.to)) else {
        return Vec::new();
    };
    let to = primary(&network.full_name());
    let addresses = state.store.back_refs_of(interface, kinds.instance_ip);
    let addresses = addresses.filter_map(|id| state.store.get(id)?.text("instance_ip_address"));
    let all = json!({"start_port": 0, "end_port": 65535});
    let rule = |text: &str| {
        let length = match Family::of(address::parse(text)?) {
            Family::V4 => 32,
            Family::V6 => 128,
        };
        let matched = json!({
            "protocol": "any", "ethertype": null,
            "src_address": {
                "subnet": {"ip_prefix": text, "ip_prefix_len": length},
                "virtual_network": null, "security_group": null,
                "network_policy": null, "subnet_list": [],
            },
            "src_port": all, "dst_address": null, "dst_port": all,
        });
        Some(assign(matched, &to, false))
    };
    addresses.filter_map(rule).collect()
}

fn assign(matched: Value, to: &FqName, ignore_acl: bool) -> Value {
    json!({
        "match_condition": matched, "vlan_tag": null,
        "routing_instance": to.to_string(), "ignore_acl": ignore_acl,
    })
}
