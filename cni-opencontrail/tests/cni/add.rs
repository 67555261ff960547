//! ADD.

use serde_json::{Value, json};

use crate::support::{Behaviour, Call, NETNS, Plugin};

const WALK_THROUGH: &str = include_str!("../fixtures/10-opencontrail-multi.conf");

/// The walk-through's own call: no container id, no version.
fn walk_through() -> Plugin {
    Plugin::new("ADD")
        .without("CNI_CONTAINERID")
        .without("CNI_IFNAME")
        .env("CNI_NETNS", "/var/run/netns/cniSI")
        .config(WALK_THROUGH)
}

#[test]
fn every_version_gets_its_own_form_of_the_result() {
    for version in [
        "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0",
    ] {
        let plugin = Plugin::new("ADD").json(json!({"cniVersion": version, "name": "net1", "mtu": 1492,
            "ipam": {"subnet": "10.1.1.0/24", "subnets": ["fd00:1::/64"], "routes": [{"dst": "0.0.0.0/0"}]}}));
        let result = plugin.run().result();
        assert_eq!(result["cniVersion"], version);
        if version < "0.3.0" {
            assert_eq!(result["ip4"]["ip"], "10.1.1.254/24");
            assert_eq!(result["ip4"]["gateway"], "10.1.1.1");
            assert_eq!(
                result["ip4"]["routes"],
                json!([{"dst": "0.0.0.0/0", "gw": "10.1.1.1"}])
            );
            assert!(result["ip6"]["ip"].as_str().unwrap().ends_with("/64"));
            assert!(result.get("interfaces").is_none());
            continue;
        }
        let interfaces = result["interfaces"].as_array().unwrap();
        assert!(interfaces[0]["name"].as_str().unwrap().starts_with("tap"));
        assert!(interfaces[0].get("sandbox").is_none());
        assert_eq!(
            (&interfaces[1]["name"], &interfaces[1]["sandbox"]),
            (&json!("eth0"), &json!(NETNS))
        );
        assert_eq!(interfaces[1].get("mtu").is_some(), version >= "1.1.0");
        let ips = result["ips"].as_array().unwrap();
        for (ip, family) in ips.iter().zip(["4", "6"]) {
            assert_eq!(ip["interface"], 1);
            let wanted = (version < "1.0.0").then(|| json!(family));
            assert_eq!(ip.get("version"), wanted.as_ref());
        }
        assert_eq!(result["dns"]["nameservers"], json!(["10.1.1.2"]));
    }
}

#[test]
fn the_walk_throughs_document_attaches_both_networks() {
    let outcome = walk_through().run();
    let attachments = outcome.attachments();
    let shown: Vec<String> = attachments
        .iter()
        .map(|a| {
            let subnet = a.network.subnets[0].prefix;
            format!(
                "{} {} {} {subnet} {:?}",
                a.container, a.ifname, a.network.fq_name, a.mtu
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "cniSI eth0 default-domain:admin:net1 10.1.1.0/24 Some(1492)",
            "cniSI eth1 default-domain:admin:net2 10.1.2.0/24 Some(1492)",
        ]
    );
    assert_eq!(outcome.connections.len(), 1, "one connection serves both");
    let result = outcome.result();
    assert_eq!(result["cniVersion"], "1.1.0");
    let names: Vec<&Value> = result["interfaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| &i["name"])
        .collect();
    assert_eq!((names[1], names[3]), (&json!("eth0"), &json!("eth1")));
    assert_ne!(names[0], names[2]);
    let ips: Vec<(&Value, &Value)> = result["ips"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ip| (&ip["address"], &ip["interface"]))
        .collect();
    assert_eq!(
        ips,
        [
            (&json!("10.1.1.254/24"), &json!(1)),
            (&json!("10.1.2.254/24"), &json!(3))
        ]
    );
}

#[test]
fn a_container_gets_one_default_route_by_its_first_interface() {
    let outcome = walk_through().run();
    let routes = outcome.attachments().iter().map(|a| a.routes.len());
    assert_eq!(routes.collect::<Vec<_>>(), [1, 0]);
    assert_eq!(
        outcome.result()["routes"],
        json!([{"dst": "0.0.0.0/0", "gw": "10.1.1.1"}])
    );
}

#[test]
fn a_document_with_a_version_gets_that() {
    let mut document: Value = serde_json::from_str(WALK_THROUGH).unwrap();
    document["cniVersion"] = json!("0.2.0");
    let result = walk_through().json(document.clone()).run().result();
    assert_eq!(
        (&result["cniVersion"], &result["ip4"]["ip"]),
        (&json!("0.2.0"), &json!("10.1.1.254/24"))
    );
    document["cniVersion"] = json!("");
    assert_eq!(
        walk_through().json(document).run().result()["cniVersion"],
        "1.1.0"
    );
}

#[test]
fn a_document_and_its_entries_have_settings() {
    let plugin = walk_through().env("CNI_IFNAME", "net3").json(json!({
        "api_server": "10.0.0.1", "mtu": 1400, "log_level": "debug",
        "networks": [
            {"name": "a", "tenant_name": "blue"},
            {"name": "b", "api_server": "10.0.0.2", "mtu": 9000},
            {"name": "c", "api_server": "10.0.0.2"},
        ]
    }));
    let outcome = plugin.run();
    assert_eq!(
        outcome.connections,
        [
            ("http://10.0.0.1:8082".into(), "blue".into()),
            ("http://10.0.0.2:8082".into(), "admin".into())
        ]
    );
    let shown: Vec<String> = outcome
        .calls
        .iter()
        .flat_map(|call| match call {
            Call::Attach(attachments) => attachments.clone(),
            _ => unreachable!("ADD attaches"),
        })
        .map(|a| format!("{} {} {:?}", a.ifname, a.network.fq_name, a.mtu))
        .collect();
    assert_eq!(
        shown,
        [
            "net3 default-domain:blue:a Some(1400)",
            "net4 default-domain:admin:b Some(9000)",
            "net5 default-domain:admin:c Some(1400)",
        ]
    );
    assert_eq!(outcome.result()["interfaces"].as_array().unwrap().len(), 6);
}

#[test]
fn when_a_later_place_fails_the_earlier_ones_are_left_again() {
    let plugin = walk_through()
        .behaving(Behaviour::FailsAt("10.0.0.2"))
        .json(json!({"networks": [
        {"name": "a", "api_server": "10.0.0.1"}, {"name": "b", "api_server": "10.0.0.2"}]}));
    let outcome = plugin.run();
    assert_eq!(outcome.error().0, 11);
    match outcome.calls.as_slice() {
        [Call::Attach(a), Call::Attach(b), Call::Detach(undone)] => {
            assert_eq!(
                (a[0].ifname.as_str(), b[0].ifname.as_str()),
                ("eth0", "eth1")
            );
            assert!(undone.len() == 1 && undone[0].ifname == "eth0");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn wishes_for_a_document_are_for_its_first_network_and_for_an_entry_for_that() {
    let plugin = walk_through().env("CNI_ARGS", "IP=10.1.1.9").json(json!({
        "runtimeConfig": {"mac": "02:00:00:00:00:01"},
        "networks": [{"name": "a"}, {"name": "b", "args": {"cni": {"ips": ["10.1.2.9"]}}}]}));
    let outcome = plugin.run();
    let [a, b] = outcome.attachments() else {
        panic!()
    };
    assert_eq!(
        (a.addresses[0].to_string(), b.addresses[0].to_string()),
        ("10.1.1.9".into(), "10.1.2.9".into())
    );
    assert!(a.mac.is_some() && b.mac.is_none());
}

#[test]
fn a_document_names_no_container_after_a_process() {
    let outcome = walk_through().env("CNI_NETNS", "/proc/77/ns/net").run();
    let (code, text) = outcome.error();
    assert!(code == 4 && text.contains("CNI_CONTAINERID"), "{text}");
    let outcome = walk_through().without("CNI_NETNS").run();
    assert!(outcome.error().1.contains("CNI_NETNS"));
}

#[test]
fn counting_up_does_not_pass_the_length_of_a_name() {
    let outcome = walk_through().env("CNI_IFNAME", "interface-name9").run();
    assert_eq!(outcome.error().0, 4);
    assert!(outcome.calls.is_empty());
}

#[test]
fn what_the_chain_had_is_kept_before_what_is_added() {
    let plugin = Plugin::new("ADD").json(json!({
        "cniVersion": "0.4.0", "name": "net1", "ipam": {"subnet": "10.1.1.0/24"},
        "prevResult": { // without a version: it has the configuration's
            "interfaces": [{"name": "dummy0", "mac": "02:00:00:00:00:09", "x": 1}],
            "ips": [{"version": "4", "address": "10.7.0.5/16", "gateway": "", "interface": 0},
                    {"version": "6", "address": "fd00::5/64"}],
            "routes": [{"dst": "10.8.0.0/16", "gw": "10.7.0.1"}],
            "dns": {"nameservers": ["9.9.9.9"], "search": ["x"]}, "y": {"z": null}
        }
    }));
    let result = plugin.run().result();
    assert_eq!(
        result["interfaces"][0],
        json!({"name": "dummy0", "mac": "02:00:00:00:00:09", "x": 1})
    );
    assert_eq!(
        result["ips"][0],
        json!({"version": "4", "address": "10.7.0.5/16", "interface": 0})
    );
    assert_eq!(
        result["ips"][1],
        json!({"version": "6", "address": "fd00::5/64"})
    );
    assert_eq!(
        (&result["ips"][2]["address"], &result["ips"][2]["interface"]),
        (&json!("10.1.1.254/24"), &json!(2))
    );
    assert_eq!(result["routes"][0]["gw"], "10.7.0.1");
    assert_eq!(
        result["dns"],
        json!({"nameservers": ["9.9.9.9", "10.1.1.2"], "search": ["x"]})
    );
    assert_eq!(result["y"], json!({"z": null}));
}

#[test]
fn name_resolution_of_configuration_and_runtime_replaces_the_networks() {
    let config = |more: Value| {
        let mut config = json!({"cniVersion": "1.0.0", "name": "net1"});
        config
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        Plugin::new("ADD").json(config).run().result()["dns"].clone()
    };
    assert_eq!(
        config(json!({"dns": {}}))["nameservers"],
        json!(["10.1.1.2"])
    );
    let own = json!({"nameservers": ["10.1.1.1"], "domain": "d"});
    assert_eq!(config(json!({"dns": own})), own);
    let runtime = json!({"dns": own, "runtimeConfig": {"dns": {"Servers": ["10.96.0.10"]}}});
    assert_eq!(config(runtime), json!({"nameservers": ["10.96.0.10"]}));
}

#[test]
fn routes_keep_their_numbers() {
    let plugin = Plugin::new("ADD").json(json!({"cniVersion": "1.1.0", "name": "n", "ipam": {
        "subnet": "10.1.1.0/24",
        "routes": [{"dst": "10.0.0.0/8", "gw": "10.1.1.7", "mtu": 1400, "priority": 5, "scope": 0}]}}));
    assert_eq!(
        plugin.run().result()["routes"],
        json!([{"dst": "10.0.0.0/8", "gw": "10.1.1.7", "mtu": 1400, "priority": 5, "scope": 0}])
    );
}

#[test]
fn ids_with_the_same_beginning_and_interfaces_of_one_container_stay_apart() {
    let long = "f".repeat(60);
    let host = |id: &str, ifname: &str| {
        let plugin = Plugin::new("ADD")
            .env("CNI_CONTAINERID", id)
            .env("CNI_IFNAME", ifname);
        plugin.run().result()["interfaces"][0]["name"].clone()
    };
    let names = [
        host(&format!("{long}0001"), "eth0"),
        host(&format!("{long}0002"), "eth0"),
        host(&format!("{long}0001"), "net1"),
    ];
    assert!(names[0] != names[1] && names[0] != names[2] && names[1] != names[2]);
}

#[test]
fn a_failure_is_one_json_object_with_its_cause() {
    let outcome = Plugin::new("ADD")
        .behaving(Behaviour::FailsAt("127.0.0.1"))
        .run();
    let error: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(
        error,
        json!({"cniVersion": "1.1.0", "code": 11, "msg": "cannot reach config API 127.0.0.1", "details": "connection refused"})
    );
    assert!(!outcome.succeeded);
}

#[test]
fn only_the_containers_interface_is_the_environments_fault() {
    for (name, code) in [("eth0", 4), ("tapd2addb42-43", 105)] {
        let found = Behaviour::FindsInterface(name);
        let (found, text) = Plugin::new("ADD").behaving(found).run().error();
        assert_eq!(found, code, "{text}");
        assert!(text.contains(name), "{text}");
    }
}

#[test]
fn a_panic_is_an_error_object_as_well() {
    let outcome = Plugin::new("ADD").behaving(Behaviour::Panics).run();
    let (code, text) = outcome.error();
    assert!(
        code == 999 && text.starts_with("panic: deliberate"),
        "{text}"
    );
}

#[test]
fn a_closed_reader_gets_no_message() {
    let mut plugin = Plugin::new("ADD");
    plugin.reader_is_gone = true;
    let outcome = plugin.run();
    assert!(!outcome.succeeded && outcome.stderr.is_empty());
}
