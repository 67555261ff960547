//! What the controller's other processes make of a service chain (`config-api.md` section 9.4).

use std::collections::BTreeSet;

use contrail_lab::config::ConfigApi;
use serde_json::{Value, json};

use crate::client::{api, create, network, ok, send};

const PROJECT: [&str; 2] = ["default-domain", "default-project"];

fn named(name: &str) -> Value {
    json!([PROJECT[0], PROJECT[1], name])
}

/// A service instance with a port tuple of two interfaces; the ids of the interfaces.
fn service(api: &ConfigApi, name: &str, mode: &str) -> [String; 2] {
    let template = json!({
        "fq_name": ["default-domain", format!("{name}-template")], "parent_type": "domain",
        "service_template_properties": {
            "version": 2, "service_mode": mode, "service_type": "firewall",
            "interface_type": [
                {"service_interface_type": "left"}, {"service_interface_type": "right"},
            ],
        },
    });
    create(api, "service-template", template);
    let instance = json!({
        "fq_name": named(name), "parent_type": "project",
        "service_template_refs": [{"to": ["default-domain", format!("{name}-template")]}],
    });
    create(api, "service-instance", instance);
    let tuple = json!({
        "fq_name": [PROJECT[0], PROJECT[1], name, "tuple"], "parent_type": "service-instance",
    });
    create(api, "port-tuple", tuple);
    [("left", "red"), ("right", "blue")].map(|(role, network)| {
        let interface = json!({
            "fq_name": named(&format!("{name}-{role}")), "parent_type": "project",
            "virtual_network_refs": [{"to": named(network)}],
            "port_tuple_refs": [{"to": [PROJECT[0], PROJECT[1], name, "tuple"]}],
            "virtual_machine_interface_properties": {"service_interface_type": role},
        });
        create(api, "virtual-machine-interface", interface)
    })
}

/// A policy from `red` to `blue`, attached to both; its id.
fn policy(api: &ConfigApi, direction: &str, services: &[&str]) -> String {
    let services: Vec<String> = services
        .iter()
        .map(|name| format!("{}:{}:{name}", PROJECT[0], PROJECT[1]))
        .collect();
    let end =
        |name: &str| json!([{"virtual_network": format!("{}:{}:{name}", PROJECT[0], PROJECT[1])}]);
    let rule = json!({
        "direction": direction, "protocol": "any",
        "src_addresses": end("red"), "dst_addresses": end("blue"),
        "src_ports": [{"start_port": -1, "end_port": -1}],
        "dst_ports": [{"start_port": -1, "end_port": -1}],
        "action_list": {"simple_action": "pass", "apply_service": services},
    });
    let policy = json!({
        "fq_name": named("policy"), "parent_type": "project",
        "network_policy_entries": {"policy_rule": [rule]},
    });
    let id = create(api, "network-policy", policy);
    for name in ["red", "blue"] {
        attach(api, &id, name, "ADD");
    }
    id
}

fn attach(api: &ConfigApi, policy: &str, network: &str, operation: &str) {
    let body = json!({
        "type": "virtual-network", "uuid": id_of(api, "virtual-network", &named(network)),
        "ref-type": "network-policy", "ref-uuid": policy, "operation": operation,
        "attr": {"sequence": {"major": 0, "minor": 0}},
    });
    ok(api, "POST", "/ref-update", Some(body));
}

fn id_of(api: &ConfigApi, kind: &str, name: &Value) -> Value {
    let body = json!({"type": kind, "fq_name": name});
    ok(api, "POST", "/fqname-to-id", Some(body))["uuid"].clone()
}

/// The routing instances of the two networks, without the ids of chains in their names: the last part of
/// the name, and those of the ones that it is connected to.
fn routing(api: &ConfigApi) -> Vec<(String, BTreeSet<String>, Value)> {
    let all = ok(api, "GET", "/routing-instances?detail=true", None);
    let short = |name: &Value| {
        let network = name[2].as_str().unwrap();
        let own = name[3].as_str().unwrap();
        match own.strip_prefix("service-") {
            Some(rest) => format!("{network}/{}", rest.rsplit('_').next().unwrap()),
            None => format!("{network}/{own}"),
        }
    };
    let mut found = Vec::new();
    for object in all["routing-instances"].as_array().unwrap() {
        let object = &object["routing-instance"];
        if !["red", "blue"].contains(&object["fq_name"][2].as_str().unwrap()) {
            continue;
        }
        let refs = object["routing_instance_refs"].as_array();
        let peers = refs.into_iter().flatten().map(|peer| short(&peer["to"]));
        let information = object["service_chain_information"].clone();
        found.push((short(&object["fq_name"]), peers.collect(), information));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn connections(api: &ConfigApi) -> Vec<(String, Vec<String>)> {
    let found = routing(api).into_iter();
    found
        .map(|(name, peers, _)| (name, peers.into_iter().collect()))
        .collect()
}

fn expected(pairs: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let owned = |peers: &[&str]| peers.iter().map(|peer| (*peer).to_owned()).collect();
    pairs
        .iter()
        .map(|(name, peers)| ((*name).to_owned(), owned(peers)))
        .collect()
}

fn world() -> ConfigApi {
    let api = api().with_processes();
    create(&api, "virtual-network", network("red", "10.1.1.0"));
    create(&api, "virtual-network", network("blue", "10.1.2.0"));
    api
}

const APART: &[(&str, &[&str])] = &[("blue/blue", &[]), ("red/red", &[])];

#[test]
fn a_chain_of_two_has_four_routing_instances_as_long_as_it_is_complete() {
    let api = world();
    let policy = policy(&api, "<>", &["a", "b"]);
    assert_eq!(connections(&api), expected(APART));
    service(&api, "a", "in-network");
    assert_eq!(connections(&api), expected(APART), "b is missing");
    let [_, right] = service(&api, "b", "in-network");
    let whole = expected(&[
        ("blue/a", &["red/b"]),
        ("blue/b", &["blue/blue"]),
        ("blue/blue", &["blue/b"]),
        ("red/a", &["red/red"]),
        ("red/b", &["blue/a"]),
        ("red/red", &["red/a"]),
    ]);
    assert_eq!(connections(&api), whole);

    let (_, _, information) = routing(&api).swap_remove(3);
    assert_eq!(
        information["routing_instance"],
        "default-domain:default-project:blue:blue"
    );
    assert_eq!(
        information["source_routing_instance"],
        "default-domain:default-project:red:red"
    );
    assert_eq!(information["prefix"], json!(["10.1.2.0/24"]));
    assert_eq!(
        information["service_instance"],
        "default-domain:default-project:a"
    );
    assert_eq!(information["service_chain_address"], "0.255.255.252");

    // A second look changes nothing: the ids stay.
    let ids = |api: &ConfigApi| ok(api, "GET", "/routing-instances", None);
    let before = ids(&api);
    create(&api, "virtual-network", network("green", "10.1.3.0"));
    let after = ids(&api);
    let after = after["routing-instances"].as_array().unwrap();
    for instance in before["routing-instances"].as_array().unwrap() {
        assert!(after.contains(instance), "{instance}");
    }

    // With the policy on one side only, or without a leg, there is no chain.
    attach(&api, &policy, "blue", "DELETE");
    assert_eq!(connections(&api), expected(APART));
    attach(&api, &policy, "blue", "ADD");
    assert_eq!(connections(&api), whole);
    send(
        &api,
        "DELETE",
        &format!("/virtual-machine-interface/{right}"),
        None,
    );
    assert_eq!(connections(&api), expected(APART));
}

#[test]
fn one_direction_and_nat_have_fewer_of_them() {
    let api = world();
    service(&api, "nat", "in-network-nat");
    policy(&api, ">", &["nat"]);
    let half = expected(&[
        ("blue/blue", &[]),
        ("red/nat", &["red/red"]),
        ("red/red", &["red/nat"]),
    ]);
    assert_eq!(connections(&api), half);
}

#[test]
fn a_plain_pass_connects_the_networks_themselves() {
    let api = world();
    let id = policy(&api, "<>", &[]);
    let together = expected(&[("blue/blue", &["red/red"]), ("red/red", &["blue/blue"])]);
    assert_eq!(connections(&api), together);
    attach(&api, &id, "red", "DELETE");
    assert_eq!(connections(&api), expected(APART));

    // One that a client made is the client's.
    let primary = |name: &str| json!([PROJECT[0], PROJECT[1], name, name]);
    let id_of_primary = |name| id_of(&api, "routing-instance", &primary(name));
    let connect = json!({
        "type": "routing-instance", "uuid": id_of_primary("red"), "operation": "ADD",
        "ref-type": "routing-instance", "ref-uuid": id_of_primary("blue"), "attr": null,
    });
    ok(&api, "POST", "/ref-update", Some(connect));
    attach(&api, &id, "red", "ADD");
    attach(&api, &id, "red", "DELETE");
    assert_eq!(connections(&api), together);
}

#[test]
fn all_members_of_a_service_instance_share_an_address_that_goes_with_it() {
    let api = world();
    let [left, right] = service(&api, "a", "in-network");
    let shown = |id: &str| {
        let target = format!("/virtual-machine-interface/{id}");
        ok(&api, "GET", &target, None)["virtual-machine-interface"].clone()
    };
    for (id, role) in [(&left, "left"), (&right, "right")] {
        let interface = shown(id);
        let ips = interface["instance_ip_back_refs"].as_array().unwrap();
        assert_eq!(ips.len(), 2, "IPv4 and IPv6");
        let target = format!("/instance-ip/{}", ips[0]["uuid"].as_str().unwrap());
        let ip = &ok(&api, "GET", &target, None)["instance-ip"];
        assert_eq!(ip["service_instance_ip"], true);
        assert_eq!(ip["instance_ip_secondary"], true);
        assert!(ip["name"].as_str().unwrap().contains(role), "{ip}");
    }
    // It keeps neither from being deleted.
    for id in [left, right] {
        let target = format!("/virtual-machine-interface/{id}");
        assert_eq!(send(&api, "DELETE", &target, None).status, 200);
    }
    let count = || {
        let all = ok(&api, "GET", "/instance-ips", None);
        all["instance-ips"].as_array().unwrap().len()
    };
    assert_eq!(count(), 4);
    let instance = id_of(&api, "service-instance", &named("a"));
    let target = format!("/service-instance/{}", instance.as_str().unwrap());
    ok(&api, "DELETE", &target, None);
    assert_eq!(count(), 0);
}
