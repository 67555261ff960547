//! The schema transformer's access control lists: what the policies of a network mean for its packets, and
//! which of them enter which service chain. A list names the routing instances of a chain whether the chain
//! has been built or not.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use contrail_core::FqName;
use serde_json::{Value, json};
use uuid::Uuid;

use super::objects::{object, set_props};
use crate::config::made::Chain;
use crate::config::state::State;
use crate::view::{NetworkView, attached};

/// The id of the rules that let the network's own packets and all others pass.
const PASS: &str = "00000000-0000-0000-0000-100000000001";

/// Makes, changes and removes the lists of networks.
pub(super) fn follow(state: &mut State, networks: &[NetworkView]) {
    let wanted: BTreeMap<&FqName, Vec<Value>> = networks
        .iter()
        .map(|network| (&network.fq_name, list(state, networks, network)))
        .filter(|(_, rules)| !rules.is_empty())
        .collect();
    let kinds = state.kinds;
    let find = |state: &State, network: &FqName| {
        let name = network.child(network.name());
        state.store.find(kinds.access_control_list, name.parts())
    };
    let stay: BTreeSet<Uuid> = wanted.keys().filter_map(|n| find(state, n)).collect();
    for id in state.made.access_lists.clone() {
        if !stay.contains(&id) {
            state.made.access_lists.remove(&id);
            state.discard(id);
        }
    }
    for (network, rules) in wanted {
        let id = find(state, network).unwrap_or_else(|| make(state, network));
        let entries = json!({"dynamic": false, "acl_rule": rules});
        let props = json!({
            "access_control_list_hash": hash(&entries),
            "access_control_list_entries": entries,
        });
        set_props(state, id, object(props));
    }
}

fn make(state: &mut State, network: &FqName) -> Uuid {
    let kinds = state.kinds;
    let parent = state.store.find(kinds.virtual_network, network.parts());
    let parent = parent.map(|id| (kinds.virtual_network, id));
    let name = network.child(network.name()).parts().to_vec();
    let props = object(json!({"display_name": network.name()}));
    let id = state.make(kinds.access_control_list, name, parent, props);
    state.made.access_lists.insert(id);
    id
}

/// A number that tells two lists apart.
fn hash(entries: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    entries.to_string().hash(&mut hasher);
    // A signed one on the real server.
    hasher.finish() >> 1
}

/// The rules of a network; none if it has no policy.
fn list(state: &State, networks: &[NetworkView], network: &NetworkView) -> Vec<Value> {
    let policies = state.store.get(network.uuid).map(|o| attached(state, o));
    let policies = policies.unwrap_or_default();
    if policies.is_empty() {
        return Vec::new();
    }
    let mut rules = Vec::new();
    for policy in policies {
        let entries = policy.props.get("network_policy_entries");
        let entries = entries.and_then(|entries| entries["policy_rule"].as_array());
        for rule in entries.into_iter().flatten() {
            rules.extend(of_rule(state, networks, network, rule));
        }
    }
    complete(&mut rules, &network.fq_name.to_string());
    rules
}

/// What a rule of a policy means in a network.
fn of_rule(
    state: &State,
    networks: &[NetworkView],
    network: &NetworkView,
    rule: &Value,
) -> Vec<Value> {
    let own = network.fq_name.to_string();
    let ends = |side: &str| -> Vec<String> {
        let ends = rule[side].as_array().into_iter().flatten();
        let names = ends.filter_map(|end| end["virtual_network"].as_str());
        let named = |name: &str| {
            if name == "local" {
                own.clone()
            } else {
                name.to_owned()
            }
        };
        names.map(named).collect()
    };
    let (sources, destinations) = (ends("src_addresses"), ends("dst_addresses"));
    let mut rules = Vec::new();
    for source in &sources {
        for destination in &destinations {
            let remote = match (*source == own, *destination == own) {
                (true, _) => destination,
                (_, true) => source,
                _ if source == "any" => destination,
                _ if destination == "any" => source,
                _ => continue,
            };
            let services = rule["action_list"]["apply_service"].as_array();
            let is_chain = services.is_some_and(|services| !services.is_empty());
            let into = match is_chain {
                true => match into(state, networks, network, rule, remote) {
                    Some(name) => json!(name.to_string()),
                    // Nothing is said of packets that would enter a chain that cannot be.
                    None => continue,
                },
                false => Value::Null,
            };
            for (source_port, destination_port) in ports(rule) {
                rules.push(entry(
                    protocol(rule["protocol"].as_str().unwrap_or("any")),
                    [source, destination],
                    [source_port, destination_port],
                    action(rule, &into),
                    (&rule["rule_uuid"], &rule["direction"]),
                ));
            }
        }
    }
    rules
}

/// The routing instance by which a network's packets to another enter the chain of a rule.
fn into(
    state: &State,
    networks: &[NetworkView],
    network: &NetworkView,
    rule: &Value,
    remote: &str,
) -> Option<FqName> {
    let id = rule["rule_uuid"].as_str()?;
    let remote = networks.iter().find(|n| n.fq_name.to_string() == remote)?;
    let of_rule = |chain: &&Chain| {
        let ends = [&chain.left, &chain.right];
        chain.rules.contains(id)
            && ends.contains(&&network.fq_name)
            && ends.contains(&&remote.fq_name)
    };
    let chain = state.made.chains().find(of_rule)?;
    let service = match chain.left == network.fq_name {
        true => chain.services.first()?,
        false => chain.services.last()?,
    };
    Some(chain.routing_instance(&network.fq_name, service))
}

fn ports(rule: &Value) -> Vec<(Value, Value)> {
    let ranges = |side: &str| {
        let ranges = rule[side].as_array().into_iter().flatten();
        let range = |range: &Value| json!({"start_port": range["start_port"], "end_port": range["end_port"]});
        ranges.map(range).collect::<Vec<_>>()
    };
    let destinations = ranges("dst_ports");
    let pairs = ranges("src_ports").into_iter().flat_map(|source| {
        let destinations = destinations.clone().into_iter();
        destinations.map(move |destination| (source.clone(), destination))
    });
    pairs.collect()
}

/// The protocol of a rule as lists name it: by its number.
pub(super) fn protocol(name: &str) -> &str {
    match name {
        "tcp" => "6",
        "udp" => "17",
        "sctp" => "132",
        "icmp" => "1",
        "icmp6" => "58",
        other => other,
    }
}

/// Adds what every list has behind the rules of the policies: the network's own packets pass; between
/// networks of which a rule speaks nothing else does; all others pass.
fn complete(rules: &mut Vec<Value>, own: &str) {
    let pass = |ends: [&str; 2]| implicit(ends, "pass", (&json!(PASS), &Value::Null));
    let of_policies = rules.clone();
    add(rules, pass([own, own]));
    for rule in &of_policies {
        let end = |side: &str| rule["match_condition"][side]["virtual_network"].as_str();
        if let Some((source, destination)) = end("src_address").zip(end("dst_address")) {
            let origin = (&rule["rule_uuid"], &rule["direction"]);
            add(rules, implicit([source, destination], "deny", origin));
        }
    }
    add(rules, pass(["any", "any"]));
}

/// Adds a rule, unless one before it means all its packets.
fn add(rules: &mut Vec<Value>, rule: Value) {
    let matched = &rule["match_condition"];
    let covers = |other: &Value| {
        let other = &other["match_condition"];
        let same = ["src_address", "dst_address"]
            .iter()
            .all(|side| other[side] == matched[side]);
        let all = |side: &str| {
            let (first, last) = (&other[side]["start_port"], &other[side]["end_port"]);
            *first == -1 || (*first == 0 && *last == 65535)
        };
        same && other["protocol"] == "any" && all("src_port") && all("dst_port")
    };
    if !rules.iter().any(covers) {
        rules.push(rule);
    }
}

fn implicit(ends: [&str; 2], verdict: &str, origin: (&Value, &Value)) -> Value {
    let all = json!({"start_port": 0, "end_port": 65535});
    let rule = json!({"action_list": {"simple_action": verdict}});
    let action = action(&rule, &Value::Null);
    entry("any", ends, [all.clone(), all], action, origin)
}

fn action(rule: &Value, into: &Value) -> Value {
    let actions = &rule["action_list"];
    let verdict = actions["simple_action"].as_str().unwrap_or("pass");
    json!({
        "simple_action": verdict, "gateway_name": null, "apply_service": [],
        "service_properties": null, "mirror_to": null, "assign_routing_instance": into,
        "log": false, "alert": false, "qos_action": null, "host_based_service": false,
    })
}

fn entry(
    protocol: &str,
    [source, destination]: [&str; 2],
    [source_port, destination_port]: [Value; 2],
    action: Value,
    (id, direction): (&Value, &Value),
) -> Value {
    let network = |name: &str| {
        json!({
            "subnet": null, "virtual_network": name, "security_group": null,
            "network_policy": null, "subnet_list": [],
        })
    };
    json!({
        "match_condition": {
            "protocol": protocol,
            "src_address": network(source), "src_port": source_port,
            "dst_address": network(destination), "dst_port": destination_port,
            "ethertype": null,
        },
        "action_list": action, "rule_uuid": id, "direction": direction,
    })
}
