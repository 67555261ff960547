//! The states that were recorded from a running controller, held against what should be there.

mod chains;
mod lifecycle;

use std::io::Read as _;

use flate2::read::GzDecoder;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::of_service::mode;
use super::{ChainState, Lack, Objects, Wanted};
use crate::api::Resource;
use crate::api::objects::{NetworkPolicy, ServiceTemplate};

/// A recording.
fn recorded(compressed: &[u8]) -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(compressed)
        .read_to_string(&mut text)
        .unwrap();
    serde_json::from_str(&text).unwrap()
}

fn read<R: DeserializeOwned>(state: &Value, kind: &str) -> Vec<R> {
    serde_json::from_value(state[format!("{kind}s")].clone()).unwrap()
}

fn all<R: Resource>(state: &Value) -> Vec<R> {
    read(state, R::TYPE)
}

/// The objects of a state.
fn objects(state: &Value) -> Objects {
    Objects {
        networks: all(state),
        routing_instances: all(state),
        access_control_lists: all(state),
        instances: all(state),
        addresses: all(state),
        interfaces: all(state),
        ..Objects::default()
    }
}

/// The chains that a state's policies ask for.
fn wanted(state: &Value) -> Vec<Wanted> {
    let templates: Vec<ServiceTemplate> = all(state);
    let objects = objects(state);
    let policies: Vec<NetworkPolicy> = all(state);
    let mut chains: Vec<Wanted> = policies
        .iter()
        .flat_map(|policy| {
            let rules = policy.entries.policy_rule.iter();
            let actions = rules.filter_map(|rule| rule.action_list.as_ref());
            let mut services = actions.flat_map(|action| &action.apply_service);
            let through = services.next().map(|name| name.parse().unwrap());
            through.map(|through| Wanted::of_policy(policy, &through))
        })
        .flatten()
        .collect();
    for service in chains.iter_mut().flat_map(|chain| &mut chain.services) {
        service.mode = mode(&service.name, &objects, &templates);
    }
    chains
}

/// What is missing, as `service side: text`.
fn missing(state: &ChainState) -> Vec<String> {
    let legs = state.legs.iter();
    let lacks = legs.flat_map(|leg| leg.lacks.iter().map(move |lack| (leg, lack)));
    lacks
        .map(|(leg, lack)| {
            let kind = match lack {
                Lack::AddressWithoutInterface { interface, .. } => {
                    format!("{} {interface}", lack.kind())
                }
                lack => lack.kind().to_owned(),
            };
            format!("{} {}: {kind}", leg.service.name(), leg.side)
        })
        .collect()
}
