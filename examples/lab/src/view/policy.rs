//! Network policies and service instances as the data plane needs them.

use std::collections::{BTreeMap, HashSet};

use contrail_core::FqName;
use serde_json::Value;
use uuid::Uuid;

use super::types::{NameOrAny, NetworkView, PolicyRule, Ports, ServiceInstanceView};
use crate::config::state::State;
use crate::config::store::Object;

/// The rules of all policies of a network.
pub(super) fn rules(state: &State, network: &Object) -> Vec<PolicyRule> {
    let policies = attached(state, network).into_iter();
    policies.flat_map(policy_rules).collect()
}

/// The policies of a network, by their sequence.
pub(crate) fn attached<'a>(state: &'a State, network: &Object) -> Vec<&'a Object> {
    let mut attached: Vec<_> = network.refs_to(state.kinds.network_policy).iter().collect();
    let sequence = |attr: &Value| {
        let number = |name| attr["sequence"][name].as_i64().unwrap_or_default();
        (number("major"), number("minor"))
    };
    attached.sort_by_key(|reference| sequence(&reference.attr));
    let policies = attached
        .into_iter()
        .filter_map(|reference| state.store.get(reference.to));
    policies.collect()
}

fn policy_rules(policy: &Object) -> Vec<PolicyRule> {
    let name = policy.full_name();
    let entries = policy.props.get("network_policy_entries");
    let rules = entries.and_then(|entries| entries["policy_rule"].as_array());
    // A rule names any number of networks on either side.
    let pairs = rules.into_iter().flatten().flat_map(|rule| {
        let sides = |key: &str| rule[key].as_array().cloned().unwrap_or_default();
        let destinations = sides("dst_addresses");
        sides("src_addresses").into_iter().flat_map(move |source| {
            let ends = destinations.clone().into_iter();
            ends.map(move |destination| (rule, source.clone(), destination))
        })
    });
    pairs
        .filter_map(|(rule, source, destination)| {
            let actions = &rule["action_list"];
            let services = actions["apply_service"].as_array().into_iter().flatten();
            Some(PolicyRule {
                id: rule["rule_uuid"].as_str().unwrap_or_default().to_owned(),
                policy: name.clone(),
                source: side(&source)?,
                destination: side(&destination)?,
                both_ways: rule["direction"] == "<>",
                protocol: rule["protocol"].as_str().unwrap_or("any").to_lowercase(),
                source_ports: ports(&rule["src_ports"]),
                destination_ports: ports(&rule["dst_ports"]),
                pass: actions["simple_action"].as_str().unwrap_or("pass") == "pass",
                services: services.filter_map(|s| s.as_str()?.parse().ok()).collect(),
            })
        })
        .collect()
}

/// What the rules mean between networks that both carry them: the numbers of the left and of the right
/// network, and the rule. A rule for both directions is meant once.
pub(crate) fn meant(networks: &[NetworkView]) -> Vec<(usize, usize, &PolicyRule)> {
    let carried = |network: &NetworkView| -> HashSet<String> {
        network.rules.iter().map(|rule| rule.id.clone()).collect()
    };
    let carried: Vec<HashSet<String>> = networks.iter().map(carried).collect();
    let mut both_ways: HashSet<(&str, usize, usize)> = HashSet::new();
    let mut meant = Vec::new();
    for (left, from) in networks.iter().enumerate() {
        for rule in from
            .rules
            .iter()
            .filter(|rule| rule.source.means(&from.fq_name))
        {
            for (right, to) in networks.iter().enumerate() {
                // Attached to one side only it opens nothing.
                let is_meant = left != right
                    && rule.destination.means(&to.fq_name)
                    && carried[right].contains(&rule.id);
                if !is_meant || both_ways.contains(&(&rule.id, right, left)) {
                    continue;
                }
                if rule.both_ways {
                    both_ways.insert((&rule.id, left, right));
                }
                meant.push((left, right, rule));
            }
        }
    }
    meant
}

impl NameOrAny {
    fn means(&self, network: &FqName) -> bool {
        match self {
            Self::Name(name) => name == network,
            Self::Any | Self::Local => true,
        }
    }
}

/// One side of a rule; `None` when it is no network, which the lab does not look at.
fn side(address: &Value) -> Option<NameOrAny> {
    match address["virtual_network"].as_str()? {
        "any" => Some(NameOrAny::Any),
        "local" => Some(NameOrAny::Local),
        name => name.parse().ok().map(NameOrAny::Name),
    }
}

fn ports(list: &Value) -> Ports {
    let range = |range: &Value| {
        let number = |name: &str| u16::try_from(range[name].as_i64()?).ok();
        let (first, last) = (number("start_port")?, number("end_port")?);
        (first <= last && (first, last) != (0, u16::MAX)).then_some(first..=last)
    };
    // One range of all ports makes the others meaningless.
    let ranges: Option<Ports> = list.as_array().into_iter().flatten().map(range).collect();
    ranges.unwrap_or_default()
}

pub(crate) fn service_instance(state: &State, instance: &Object) -> ServiceInstanceView {
    let kinds = state.kinds;
    let template = instance.refs_to(kinds.service_template).first();
    let template = template.and_then(|reference| state.store.get(reference.to));
    let properties = template.and_then(|t| t.props.get("service_template_properties"));
    let mode = properties.map(|p| p["service_mode"].as_str().unwrap_or("transparent"));
    let tuples = state.store.children_of(instance.uuid, kinds.port_tuple);
    ServiceInstanceView {
        fq_name: instance.full_name(),
        mode: mode.unwrap_or_default().to_owned(),
        port_tuples: tuples.iter().map(|tuple| members(state, *tuple)).collect(),
    }
}

/// The VM interfaces of a port tuple that have a role.
pub(crate) fn members(state: &State, tuple: Uuid) -> BTreeMap<String, Uuid> {
    let interfaces = state
        .store
        .back_refs_of(tuple, state.kinds.virtual_machine_interface);
    interfaces
        .filter_map(|id| Some((role(state, id)?, id)))
        .collect()
}

/// The role of a VM interface in a service instance.
pub(crate) fn role(state: &State, interface: Uuid) -> Option<String> {
    let object = state.store.get(interface)?;
    let properties = object.props.get("virtual_machine_interface_properties")?;
    Some(properties["service_interface_type"].as_str()?.to_owned())
}
