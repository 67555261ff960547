//! The 26 chains, as the controller built them or did not.

use serde_json::{Value, json};

use super::{missing, objects, recorded, wanted};
use crate::service_chain::built::{Progress, assess};

const CHAINS: &[u8] = include_bytes!("../../../../tests/fixtures/controller-chains.json.gz");

/// The state after the requests of a scenario.
fn state_of(name: &str) -> Value {
    let all = recorded(CHAINS);
    let mut found = all.into_iter().filter(|scenario| scenario["name"] == name);
    found.next().unwrap()["state"].take()
}

/// What is missing of every chain in a state.
fn missing_in(state: &Value) -> Vec<Vec<String>> {
    let (chains, objects) = (wanted(state), objects(state));
    let states = chains.iter().map(|chain| missing(&assess(chain, &objects)));
    states.collect()
}

#[test]
fn every_chain_that_the_controller_built_is_built_on_every_leg() {
    let all = recorded(CHAINS);
    assert_eq!(all.len(), 26);
    let built: Vec<(&str, usize)> = vec![
        ("one service, in-network", 2),
        ("chain of two, in-network (the README)", 4),
        ("one service, in-network-nat", 1),
        ("one service, transparent, ports in networks of its own", 2),
        (
            "one service, transparent, ports in the networks of the chain",
            2,
        ),
        ("two in-network-nat services in a row", 2),
        ("in-network, then in-network-nat", 3),
        ("one service, direction >", 2),
        ("one service, tcp, destination ports 80 and 8000-8080", 2),
        ("one service, dual stack", 2),
        ("chain of two, dual stack", 4),
        ("one service with a management interface", 2),
        ("one service with two members", 2),
        (
            "two policies with a chain each, different ports, same networks",
            4,
        ),
        ("one policy: tcp 80 by a service, icmp passes directly", 2),
        ("chain of three, in-network", 6),
        ("chain first, member later", 2),
    ];
    for (name, legs) in built {
        let state = state_of(name);
        let (chains, objects) = (wanted(&state), objects(&state));
        let states: Vec<_> = chains.iter().map(|chain| assess(chain, &objects)).collect();
        for state in &states {
            assert!(state.is_built(), "{name}: {:?}", missing(state));
        }
        let count: usize = states.iter().map(|state| state.legs.len()).sum();
        assert_eq!(count, legs, "{name}");
    }
}

#[test]
fn every_chain_that_the_controller_did_not_build_names_what_is_missing() {
    let none = [
        "two networks and two machines, nothing between them",
        "plain pass policy",
        "deny rule",
        "deny rule only",
        "route targets of a network",
    ];
    for name in none {
        assert!(missing_in(&state_of(name)).is_empty(), "{name}");
    }
    let lacks = |name: &str| missing_in(&state_of(name)).concat();
    assert_eq!(
        lacks("policy with a chain attached and detached again"),
        [
            "fw left: policy",
            "fw left: routing-instance",
            "fw left: acl-rule",
            "fw right: policy",
            "fw right: routing-instance",
            "fw right: acl-rule",
        ]
    );
    assert_eq!(
        lacks("network of a chain deleted"),
        [
            "s1 left: routing-instance",
            "s1 left: acl-rule",
            "s1 right: network"
        ]
    );
    assert_eq!(
        lacks("chain whose service has no member"),
        [
            "fw left: member",
            "fw left: routing-instance",
            "fw right: member",
            "fw right: routing-instance",
        ]
    );
    assert_eq!(
        lacks("chain with a service instance that does not exist"),
        [
            "nobody left: service-instance",
            "nobody left: routing-instance",
            "nobody right: service-instance",
            "nobody right: routing-instance",
        ]
    );
}

#[test]
fn a_leg_that_loses_a_part_names_just_that() {
    let whole = state_of("chain of two, dual stack");
    let lacks = |change: &dyn Fn(&mut Value)| {
        let mut state = whole.clone();
        change(&mut state);
        missing_in(&state).concat()
    };
    let of = |state: &mut Value, name: &str| -> usize {
        let all = state["routing-instances"].as_array().unwrap();
        let is_it = |r: &Value| {
            let parts = r["fq_name"].as_array().unwrap();
            let (network, own) = (parts[2].as_str().unwrap(), parts[3].as_str().unwrap());
            format!("{network}/{}", own.rsplit('_').next().unwrap()) == name
        };
        all.iter().position(is_it).unwrap()
    };
    let at = |state: &mut Value, name: &str, field: &str, value: Value| {
        let index = of(state, name);
        state["routing-instances"][index][field] = value;
    };
    assert!(lacks(&|_| ()).is_empty());
    assert_eq!(
        lacks(&|s| at(s, "net2/s1", "service_chain_information", Value::Null)),
        ["s1 right: service-chain-information"]
    );
    assert_eq!(
        lacks(&|s| at(s, "net1/s2", "ipv6_service_chain_information", Value::Null)),
        ["s2 left: service-chain-information"]
    );
    assert_eq!(
        lacks(&|s| {
            at(s, "net2/s1", "routing_instance_refs", json!([]));
            at(s, "net1/s2", "routing_instance_refs", json!([]));
        }),
        ["s2 left: connection"]
    );
    assert_eq!(
        lacks(&|s| {
            let index = of(s, "net2/s2");
            s["routing-instances"][index]["service_chain_information"]["prefix"] = json!([]);
        }),
        ["s2 right: prefix"]
    );
    assert_eq!(
        lacks(&|s| {
            for port in s["virtual-machine-interfaces"].as_array_mut().unwrap() {
                port["vrf_assign_table"] = Value::Null;
            }
        }),
        ["s1 right: onward", "s2 left: onward"]
    );
    assert_eq!(
        lacks(&|s| s["access-control-lists"] = json!([])),
        ["s1 left: acl-rule", "s2 right: acl-rule"]
    );
    assert_eq!(
        lacks(&|s| {
            let index = of(s, "net1/s1");
            s["routing-instances"].as_array_mut().unwrap().remove(index);
        }),
        ["s1 left: routing-instance"]
    );
}

#[test]
fn without_the_right_to_read_routing_instances_nothing_is_said_to_be_broken() {
    let mut state = state_of("one service, in-network");
    for kind in ["routing-instances", "access-control-lists", "instance-ips"] {
        state[kind] = json!([]);
    }
    let (chains, objects) = (wanted(&state), objects(&state));
    assert_eq!(assess(&chains[0], &objects).progress(), Progress::Hidden);
}
