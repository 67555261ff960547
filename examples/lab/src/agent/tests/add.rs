//! T1–T10: what adding a port accepts, refuses and writes.

use std::fs;

use serde_json::{Value, json};

use super::*;

#[test]
fn t1_a_port_is_added_and_its_file_written() {
    let bench = bench();
    assert_eq!(bench.post(&body()), ok());
    let text = fs::read_to_string(bench.file(U)).unwrap();
    let (head, time) = text.split_at(text.find("    \"time\"").unwrap());
    assert_eq!(
        head,
        r#"{
    "id": "97556910-7aaf-11eb-9576-00163e6d1150",
    "instance-id": "c5f1802e-a98d-48fd-81f8-07ee5a8a2bac",
    "display-name": "web-1",
    "ip-address": "10.10.0.5",
    "ip6-address": "::",
    "vn-id": "a1ad1cf5-4a7e-4896-a719-bcf9d58b701b",
    "vm-project-id": "0f2c9a10-2c0e-4a61-9d2e-6a1e5a2f7d11",
    "mac-address": "02:97:55:69:10:7a",
    "system-name": "tap97556910-7a",
    "type": 0,
    "rx-vlan-id": 65535,
    "tx-vlan-id": 65535,
    "vhostuser-mode": 0,
    "author": "/usr/bin/contrail-vrouter-agent",
"#
    );
    assert!(time.ends_with("\"\n}"), "{time}");
    assert_eq!(bench.files(), 1, "no temporary file may remain");
}

#[test]
fn t2_a_missing_or_null_key_is_refused_by_name() {
    let bench = bench();
    let refused = error(500, "{ Invalid or missing field for <ip6-address> }");
    assert_eq!(bench.post(&with("ip6-address", Value::Null)), refused);
    let mut without = body();
    without.as_object_mut().unwrap().remove("ip6-address");
    assert_eq!(bench.post(&without), refused);
    assert_eq!(bench.files(), 0);
}

#[test]
fn t2_the_first_missing_key_in_the_agents_order_decides() {
    let bench = bench();
    let mut object = serde_json::Map::new();
    let order = [
        ("id", "data"),
        ("instance-id", "data"),
        ("vn-id", "data"),
        ("vm-project-id", "data"),
        ("display-name", "field"),
        ("ip-address", "field"),
        ("ip6-address", "field"),
        ("type", "field"),
        ("system-name", "field"),
        ("mac-address", "field"),
        ("rx-vlan-id", "field"),
        ("tx-vlan-id", "field"),
    ];
    for (key, what) in order {
        assert_eq!(
            bench.post(&Value::Object(object.clone())),
            error(500, &format!("{{ Invalid or missing {what} for <{key}> }}"))
        );
        object.insert(key.into(), body()[key].clone());
    }
    assert_eq!(bench.post(&Value::Object(object)), ok());
}

#[test]
fn t3_a_type_in_quotes_is_refused() {
    let refused = error(500, "{ Invalid or missing field for <type> }");
    assert_eq!(bench().post(&with("type", json!("0"))), refused);
}

#[test]
fn t4_only_vm_ports_need_a_network() {
    let bench = bench();
    let mut port = with("vn-id", json!(""));
    assert_eq!(bench.post(&port), error(500, "{ Invalid VN uuid }"));
    port["type"] = json!(1);
    assert_eq!(bench.post(&port), ok());
}

#[test]
fn t5_bad_mac_addresses_are_refused() {
    let bench = bench();
    for mac in ["02-97-55-69-10-7a", "00:00:00:00:00:00"] {
        assert_eq!(
            bench.post(&with("mac-address", json!(mac))),
            error(500, "{ Invalid MAC, Use xx:xx:xx:xx:xx:xx format }")
        );
    }
}

#[test]
fn t6_a_bad_address_is_none_and_the_instance_ip_serves() {
    let bench = bench();
    bench.configure();
    assert_eq!(bench.post(&with("ip-address", json!("None"))), ok());
    let file: Value = serde_json::from_slice(&fs::read(bench.file(U)).unwrap()).unwrap();
    assert_eq!(file["ip-address"], "0.0.0.0");
    let info: Value = serde_json::from_str(&bench.get(U).1).unwrap();
    assert_eq!(info["ip-address"], "10.10.0.5");
}

#[test]
fn t7_of_the_vlan_pairs_only_one_is_refused() {
    let bench = bench();
    let mut port = with("rx-vlan-id", json!(5));
    port["tx-vlan-id"] = json!(65534);
    assert_eq!(
        bench.post(&port),
        error(
            500,
            "{ Invalid request. RX (isolated) vlan set, but TX vlan not set }"
        )
    );
    assert_eq!(bench.post(&with("rx-vlan-id", json!(100))), ok());
}

#[test]
fn t8_an_array_with_one_bad_element_does_nothing_and_succeeds() {
    let bench = bench();
    assert_eq!(bench.post(&json!([body(), { "id": "x" }])), ok());
    assert!(bench.agent.subscriptions().is_empty());
    assert_eq!(bench.files(), 0);
    assert_eq!(bench.post(&json!([])), ok());
    assert_eq!(bench.post(&json!([body(), with("id", json!(OTHER))])), ok());
    assert_eq!(bench.files(), 2);
}

#[test]
fn t9_adding_again_changes_nothing() {
    let bench = bench();
    bench.post(&body());
    let before = fs::read(bench.file(U)).unwrap();
    assert_eq!(bench.post(&with("system-name", json!("tapOTHER"))), ok());
    assert_eq!(bench.agent.subscriptions()[0].host_ifname, "tap97556910-7a");
    assert_eq!(fs::read(bench.file(U)).unwrap(), before);
}

#[test]
fn t10_another_machine_replaces_the_port_but_not_its_file() {
    let bench = bench();
    bench.post(&body());
    let before = fs::read(bench.file(U)).unwrap();
    assert_eq!(bench.post(&with("instance-id", json!(OTHER))), ok());
    let port = &bench.agent.subscriptions()[0];
    assert_eq!(port.instance_id.to_string(), OTHER);
    assert_eq!(fs::read(bench.file(U)).unwrap(), before);
}
