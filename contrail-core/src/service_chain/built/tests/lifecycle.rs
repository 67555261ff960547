//! The ways in which a member left and came back, with the state after each step. Those states are
//! summaries: the parts that they leave out are as in a chain that is built.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{missing, objects, recorded};
use crate::service_chain::built::{ChainState, Progress, Wanted, WantedService, assess};
use crate::service_chain::types::{Direction, Mode};
use crate::values::FqName;
use crate::values::identity;

const LIFECYCLE: &[u8] = include_bytes!("../../../../tests/fixtures/controller-lifecycle.json.gz");
const CHAIN: Uuid = Uuid::from_u128(7);

fn id(text: &str) -> Uuid {
    text.parse()
        .unwrap_or_else(|_| identity::service_object("summary", &FqName::new([text])))
}

fn list(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap())
}

/// The whole name of a routing instance: the summary leaves out the id of the chain.
fn instance(network: &str) -> Value {
    json!([
        "default-domain",
        "admin",
        network,
        format!("service-{CHAIN}-default-domain_admin_fw")
    ])
}

fn networks(is_attached: bool) -> Value {
    let network = |name: &str, prefix: &str| {
        let policies = if is_attached {
            vec![json!({"to": ["default-domain", "admin", "chain"]})]
        } else {
            vec![]
        };
        json!({"fq_name": ["default-domain", "admin", name], "network_policy_refs": policies,
            "network_ipam_refs": [{"to": ["d", "p", "i"], "attr": {"ipam_subnets": [
                {"subnet": {"ip_prefix": prefix, "ip_prefix_len": 24}}]}}]})
    };
    json!([network("net1", "10.1.1.0"), network("net2", "10.1.2.0")])
}

fn routing_instances(summary: &Value) -> Value {
    let own = ["net1", "net2"].map(|n| json!({"fq_name": ["default-domain", "admin", n, n]}));
    let of_chain = summary["service_routing_instances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| {
            let network = found["routing_instance"]
                .as_str()
                .unwrap()
                .split(':')
                .next()
                .unwrap();
            json!({"fq_name": instance(network),
            "routing_instance_refs": [{"to": ["default-domain", "admin", network, network]}],
            "service_chain_information": {"prefix": found["prefix"],
                "service_instance": "default-domain:admin:fw",
                "service_chain_address": found["service_chain_address"]}})
        });
    own.into_iter().chain(of_chain).collect()
}

fn rules(summary: &Value) -> Value {
    let count = summary["acl_rules_with_assign_routing_instance"]
        .as_u64()
        .unwrap();
    let networks = ["net1", "net2"].into_iter().take(count as usize);
    let lists = networks.map(|network| {
        let name: Vec<String> = serde_json::from_value(instance(network)).unwrap();
        json!({"fq_name": ["default-domain", "admin", network, network],
            "access_control_list_entries": {"acl_rule": [{
                "match_condition": {
                    "src_address": {"virtual_network": "default-domain:admin:net1"},
                    "dst_address": {"virtual_network": "default-domain:admin:net2"}},
                "action_list": {"assign_routing_instance": name.join(":")}}]}})
    });
    lists.collect()
}

/// The interfaces by the tuple and the name that the summary calls them by: two that followed each other
/// have one name.
fn interfaces(summary: &Value) -> BTreeMap<(String, String), Value> {
    let tuples = summary["port_tuples"].as_object().unwrap();
    let joined = tuples
        .iter()
        .flat_map(|(tuple, ports)| list(ports).map(move |p| (tuple, p)));
    let interface = |(tuple, port): (&String, &str)| {
        let side = if port.ends_with("eth0") {
            "left"
        } else {
            "right"
        };
        let key = (tuple.clone(), port.to_owned());
        let value = json!({"fq_name": ["default-domain", "admin", port], "uuid": id(&format!("{tuple} {port}")),
            "port_tuple_refs": [{"to": ["default-domain", "admin", "fw", tuple]}],
            "virtual_machine_interface_properties": {"service_interface_type": side}});
        (key, value)
    };
    joined.map(interface).collect()
}

fn addresses(summary: &Value) -> (Vec<Value>, Vec<Value>) {
    let interfaces = interfaces(summary);
    // Each mention of a name is the next interface of that name.
    let ports = |names: &Value| -> Vec<Value> {
        let mut left: Vec<_> = interfaces.iter().collect();
        list(names)
            .map(|name| {
                let place = left.iter().position(|((_, port), _)| port == name);
                match place {
                    Some(place) => json!({"to": [name], "uuid": left.remove(place).1["uuid"]}),
                    None => json!({"to": [name], "uuid": id(name)}),
                }
            })
            .collect()
    };
    let all = summary["service_instance_ips"].as_object().unwrap().iter();
    all.map(|(address, names)| {
        let side = if address.ends_with("251") {
            "right"
        } else {
            "left"
        };
        let uuid = id(address);
        let link = json!({"to": [address], "uuid": uuid, "attr": {"interface_type": side}});
        let ip = json!({"fq_name": [address], "uuid": uuid, "instance_ip_address": address,
            "virtual_machine_interface_refs": ports(names)});
        (link, ip)
    })
    .unzip()
}

fn assessed(summary: &Value) -> ChainState {
    let (links, addresses) = addresses(summary);
    let is_attached = summary["acl_rules_with_assign_routing_instance"] != 0;
    let interfaces: Vec<Value> = interfaces(summary).into_values().collect();
    let state = json!({"virtual-networks": networks(is_attached),
        "routing-instances": routing_instances(summary),
        "access-control-lists": rules(summary),
        "service-instances": [{"fq_name": ["default-domain", "admin", "fw"], "instance_ip_refs": links}],
        "instance-ips": addresses, "virtual-machine-interfaces": interfaces});
    let name = |last: &str| FqName::new(["default-domain", "admin", last]);
    let wanted = Wanted {
        policy: name("chain"),
        rule: None,
        left: name("net1"),
        right: name("net2"),
        direction: Direction::Both,
        services: vec![WantedService {
            name: name("fw"),
            mode: Mode::InNetwork,
        }],
    };
    assess(&wanted, &objects(&state))
}

/// What is missing after each step of each variant.
fn outcomes() -> Vec<(String, Vec<(bool, ChainState)>)> {
    let variants = recorded(LIFECYCLE).into_iter().map(|variant| {
        let steps = variant["steps"].as_array().unwrap().iter();
        let steps = steps.map(|step| (step["same_as_fresh"] == true, assessed(&step["state"])));
        (
            variant["variant"].as_str().unwrap().to_owned(),
            steps.collect(),
        )
    });
    variants.collect()
}

#[test]
fn a_state_that_equals_the_fresh_chain_is_built() {
    let mut count = 0;
    for (variant, steps) in outcomes() {
        for (step, (is_fresh, state)) in steps.iter().enumerate() {
            if *is_fresh {
                count += 1;
                assert!(state.is_built(), "{variant} {step}: {:?}", missing(state));
            }
        }
    }
    assert_eq!(count, 36);
}

#[test]
fn the_end_of_every_variant_that_destroys_the_chain_is_not_built_and_names_the_leg() {
    let lost = ["fw left: routing-instance", "fw right: routing-instance"];
    let mut destroyed = Vec::new();
    for (variant, steps) in outcomes() {
        let (is_fresh, state) = steps.last().unwrap();
        if *is_fresh {
            continue;
        }
        assert_eq!(state.progress(), Progress::Unbuilt, "{variant}");
        match variant.as_str() {
            "f_bad" => assert_eq!(missing(state).len(), 2, "{:?}", missing(state)),
            _ => assert_eq!(missing(state), lost, "{variant}"),
        }
        destroyed.push(variant);
    }
    assert_eq!(
        destroyed,
        [
            "a_new",
            "a_same",
            "a_fast",
            "g",
            "g_fast",
            "a_keep",
            "b_keep_fast",
            "c_bad",
            "c_bad1",
            "e2",
            "f_bad"
        ]
    );
}

#[test]
fn an_address_that_a_deleted_interface_still_holds_is_named_with_the_interface() {
    let all = outcomes();
    let (_, steps) = all.iter().find(|(variant, _)| variant == "c_bad").unwrap();
    let (_, state) = &steps[1];
    let gone =
        |side: &str, interface: &str| format!("fw {side}: address-without-interface {interface}");
    assert_eq!(
        missing(state),
        [
            gone("left", "7e16666e-cd55-58ce-90c9-a2756465b151"),
            gone("right", "2876d93d-3e25-5e3a-baa6-3a2fa88bc175"),
        ]
    );
}

#[test]
fn without_members_the_chain_waits_and_is_not_lost() {
    let all = outcomes();
    let (_, steps) = all.iter().find(|(variant, _)| variant == "b_new").unwrap();
    for (_, state) in &steps[1..4] {
        assert_eq!(state.progress(), Progress::Waiting, "{:?}", missing(state));
    }
}
