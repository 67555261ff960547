//! What the recording does not show of the configuration API: races, tokens, limits, snapshots,
//! and what the other parts of the lab see of it.

#![allow(clippy::unwrap_used)] // in every helper too

mod access;
mod client;
mod processes;
mod races;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use contrail_lab::config::{Auth, ConfigApi, snapshot};
use contrail_lab::http::Service;
use serde_json::json;

use self::client::{api, create, network, ok, request, send, text};

#[test]
fn of_40_creates_of_one_name_side_by_side_one_succeeds() {
    let api = api();
    let body = json!({"virtual-network": network("same", "10.1.0.0")});
    let create = || send(&api, "POST", "/virtual-networks", Some(body.clone())).status;
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..40).map(|_| scope.spawn(create)).collect();
        let statuses = threads.into_iter().map(|thread| thread.join().unwrap());
        statuses.collect()
    });
    let count = |status| statuses.iter().filter(|s| **s == status).count();
    assert_eq!((count(200), count(409)), (1, 39));
}

#[test]
fn addresses_asked_for_side_by_side_are_all_different() {
    let api = api();
    create(&api, "virtual-network", network("vn", "10.1.0.0"));
    let to = json!(["default-domain", "default-project", "vn"]);
    std::thread::scope(|scope| {
        for index in 0..40 {
            let (api, to) = (&api, &to);
            scope.spawn(move || {
                let name = format!("iip{index}");
                let body = json!({"fq_name": [name], "virtual_network_refs": [{"to": to}]});
                create(api, "instance-ip", body);
            });
        }
    });
    let list = ok(
        &api,
        "GET",
        "/instance-ips?fields=instance_ip_address",
        None,
    );
    let entries = list["instance-ips"].as_array().unwrap();
    let addresses: std::collections::BTreeSet<&str> = entries
        .iter()
        .map(|entry| entry["instance_ip_address"].as_str().unwrap())
        .collect();
    assert_eq!(addresses.len(), 40);
}

#[test]
fn what_a_request_would_do_can_be_asked_without_doing_it() {
    let api = api();
    let body = json!({"virtual-network": network("vn", "10.1.0.0")});
    let create = request("POST", "/virtual-networks", Some(body));
    let answer = api.pretend(&create);
    assert!(text(&answer).contains("\"uuid\""));
    let name = "/virtual-networks?fq_names=default-domain:default-project:vn";
    assert_eq!(ok(&api, "GET", name, None)["virtual-networks"], json!([]));
}

/// A port of a machine in a network: the ids of machine, interface and address.
fn port(api: &ConfigApi) -> [String; 3] {
    let vn = json!(["default-domain", "default-project", "vn"]);
    let vmi = json!(["default-domain", "default-project", "vmi"]);
    let machine = create(
        api,
        "virtual-machine",
        json!({"fq_name": ["vm"], "display_name": "web"}),
    );
    let interface = create(
        api,
        "virtual-machine-interface",
        json!({"fq_name": vmi, "parent_type": "project", "display_name": "web/eth0",
               "virtual_network_refs": [{"to": vn}], "virtual_machine_refs": [{"to": ["vm"]}]}),
    );
    let address = create(
        api,
        "instance-ip",
        json!({"fq_name": ["iip"], "virtual_network_refs": [{"to": vn}],
               "virtual_machine_interface_refs": [{"to": vmi, "uuid": interface}]}),
    );
    [machine, interface, address]
}

#[test]
fn the_view_shows_networks_interfaces_and_machines() {
    let api = api();
    let network_id = create(&api, "virtual-network", network("vn", "10.1.0.0"));
    let [machine, interface, _] = port(&api);
    let view = api.view();
    let networks = &view.networks;
    let seen = networks.iter().find(|n| n.fq_name.name() == "vn").unwrap();
    assert_eq!(seen.uuid.to_string(), network_id);
    assert_eq!(seen.subnets[0].prefix.to_string(), "10.1.0.0/24");
    assert_eq!(seen.subnets[0].gateway.unwrap().to_string(), "10.1.0.254");
    let seen = &view.interfaces[0];
    assert_eq!(seen.uuid.to_string(), interface);
    assert_eq!(seen.display_name, "web/eth0");
    assert_eq!(seen.addresses[0].to_string(), "10.1.0.252");
    assert_eq!(seen.machine.unwrap().to_string(), machine);
    assert_eq!(seen.network.unwrap().to_string(), network_id);
    assert!(seen.mac.is_some());
    assert_eq!(
        (view.machines[0].name.as_str(), view.machines[0].on_router),
        ("vm", false)
    );
}

#[test]
fn the_view_of_a_network_on_a_flat_ipam_shows_the_subnets_of_the_ipam() {
    let api = api();
    let name = ["default-domain", "default-project", "flat"];
    let subnet = json!({"subnet": {"ip_prefix": "10.9.0.0", "ip_prefix_len": 24}});
    let ipam = json!({
        "fq_name": name, "parent_type": "project", "ipam_subnet_method": "flat-subnet",
        "ipam_subnets": {"subnets": [subnet]},
    });
    create(&api, "network-ipam", ipam);
    let mut flat = network("vn", "10.1.0.0");
    flat["network_ipam_refs"] = json!([{"to": name, "attr": {"ipam_subnets": []}}]);
    flat["virtual_network_properties"] = json!({"forwarding_mode": "l3"});
    let id = create(&api, "virtual-network", flat);
    let view = api.view();
    let mut networks = view.networks.iter();
    let seen = networks.find(|n| n.uuid.to_string() == id).unwrap();
    assert_eq!(seen.subnets[0].prefix.to_string(), "10.9.0.0/24");
    let shown = ok(&api, "GET", &format!("/virtual-network/{id}"), None);
    let entries = &shown["virtual-network"]["network_ipam_refs"][0]["attr"]["ipam_subnets"];
    assert!(entries[0]["subnet_uuid"].is_string());
    assert_eq!(entries[0].get("subnet"), None);
}

#[test]
fn the_view_of_an_interface_has_what_it_is_about_and_no_more() {
    let api = api();
    let network_id = create(&api, "virtual-network", network("vn", "10.1.0.0"));
    create(&api, "virtual-network", network("other", "10.2.0.0"));
    create(&api, "virtual-machine", json!({"fq_name": ["other"]}));
    let [machine, interface, _] = port(&api);
    let interface = interface.parse().unwrap();
    let mut expected = (*api.view()).clone();
    let id = |text: &String| text.parse().unwrap();
    expected.networks.retain(|n| n.uuid == id(&network_id));
    expected.machines.retain(|m| m.uuid == id(&machine));
    assert_eq!(api.view_of_interface(interface), expected);
    let of_a_network = api.view_of_interface(id(&network_id));
    assert_eq!(of_a_network, Default::default());
}

#[test]
fn a_change_is_announced_before_it_is_answered_and_a_read_is_not() {
    let api = api();
    let changes = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&changes);
    api.on_change(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    create(&api, "virtual-machine", json!({"fq_name": ["vm"]}));
    assert_eq!(changes.load(Ordering::SeqCst), 1);
    ok(&api, "GET", "/virtual-machines", None);
    send(
        &api,
        "POST",
        "/virtual-machines",
        Some(json!({"virtual-machine": {"fq_name": ["vm"]}})),
    );
    assert_eq!(changes.load(Ordering::SeqCst), 1);
}

#[test]
fn a_saved_state_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.json");
    let api = api();
    let network_id = create(&api, "virtual-network", network("vn", "10.1.0.0"));
    create(&api, "virtual-network", network("vn6", "10.2.0.0"));
    let [_, interface, address] = port(&api);
    api.save(&path).unwrap();

    let again = ConfigApi::with_state(snapshot::load(&path).unwrap(), Auth::None, &[]);
    for target in [
        format!("/virtual-network/{network_id}"),
        format!("/virtual-machine-interface/{interface}"),
        format!("/instance-ip/{address}"),
        "/virtual-networks?detail=true".into(),
        "/projects?detail=true&fields=virtual_networks".into(),
    ] {
        let expected = ok(&api, "GET", &target, None);
        assert_eq!(ok(&again, "GET", &target, None), expected, "{target}");
    }
    assert_eq!(again.view(), api.view());
    let vn = json!(["default-domain", "default-project", "vn"]);
    let body = json!({"fq_name": ["next"], "virtual_network_refs": [{"to": vn}]});
    let next = create(&again, "instance-ip", body);
    let next = ok(&again, "GET", &format!("/instance-ip/{next}"), None);
    assert_eq!(next["instance-ip"]["instance_ip_address"], "10.1.0.251");
}

#[test]
fn a_port_goes_away_in_order_and_its_address_is_free_again() {
    let api = api();
    let network_id = create(&api, "virtual-network", network("vn", "10.1.0.0"));
    let [machine, interface, address] = port(&api);
    let delete = |kind: &str, id: &str| send(&api, "DELETE", &format!("/{kind}/{id}"), None).status;
    assert_eq!(delete("virtual-network", &network_id), 409);
    assert_eq!(delete("virtual-machine", &machine), 409);
    assert_eq!(delete("virtual-machine-interface", &interface), 409);
    assert_eq!(delete("instance-ip", &address), 200);
    assert_eq!(delete("virtual-machine-interface", &interface), 200);
    assert_eq!(delete("virtual-machine", &machine), 200);
    let [_, _, again] = port(&api);
    let again = ok(&api, "GET", &format!("/instance-ip/{again}"), None);
    assert_eq!(again["instance-ip"]["instance_ip_address"], "10.1.0.252");
}

#[test]
fn a_relaxed_reference_lets_its_target_go_and_goes_with_it() {
    let api = api();
    create(&api, "virtual-network", network("vn", "10.1.0.0"));
    let [_, interface, address] = port(&api);
    let body = json!({"uuid": address, "ref-uuid": interface});
    ok(&api, "POST", "/ref-relax-for-delete", Some(body));
    let target = format!("/virtual-machine-interface/{interface}");
    assert_eq!(send(&api, "DELETE", &target, None).status, 200);
    let left = ok(&api, "GET", &format!("/instance-ip/{address}"), None);
    assert_eq!(
        left["instance-ip"].get("virtual_machine_interface_refs"),
        None
    );
}

#[test]
fn pages_lead_through_the_whole_list() {
    let api = api();
    for index in 0..7 {
        create(
            &api,
            "virtual-machine",
            json!({"fq_name": [format!("vm{index}")]}),
        );
    }
    let mut names = Vec::new();
    let mut marker = "none".to_owned();
    loop {
        let target = format!("/virtual-machines?page_limit=3&page_marker={marker}");
        let page = ok(&api, "GET", &target, None);
        let entries = page["virtual-machines"].as_array().unwrap();
        names.extend(
            entries
                .iter()
                .map(|e| e["fq_name"][0].as_str().unwrap().to_owned()),
        );
        match page["marker"].as_str() {
            Some(next) => marker = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(names, ["vm0", "vm1", "vm2", "vm3", "vm4", "vm5", "vm6"]);
}

#[test]
fn elements_of_a_map_property_are_set_replaced_and_deleted() {
    let api = api();
    let id = create(&api, "virtual-machine", json!({"fq_name": ["vm"]}));
    let change = |operation: &str, key: &str, value: &str| {
        let update = json!({"field": "annotations", "operation": operation, "position": key,
                            "value": {"key": key, "value": value}});
        let body = json!({"uuid": id, "updates": [update]});
        send(&api, "POST", "/prop-collection-update", Some(body)).status
    };
    assert_eq!(change("set", "a", "1"), 200);
    assert_eq!(change("set", "b", "2"), 200);
    assert_eq!(change("set", "a", "3"), 200);
    assert_eq!(change("delete", "b", ""), 200);
    assert_eq!(change("explode", "a", ""), 400);
    let target = format!("/prop-collection-get?uuid={id}&fields=annotations");
    let expected = json!({"annotations": [[{"key": "a", "value": "3"}, "a"]]});
    assert_eq!(ok(&api, "GET", &target, None), expected);
}

#[test]
fn an_address_of_the_flat_ipam_for_service_chains_needs_no_network() {
    let api = api();
    let ipam = json!([
        "default-domain",
        "default-project",
        "service-chain-flat-ipam"
    ]);
    let body = json!({"fq_name": ["si-left-v4"], "service_instance_ip": true,
                      "instance_ip_family": "v4", "network_ipam_refs": [{"to": ipam}]});
    let id = create(&api, "instance-ip", body);
    let shown = ok(&api, "GET", &format!("/instance-ip/{id}"), None);
    assert_eq!(shown["instance-ip"]["instance_ip_address"], "0.255.255.252");
}

#[test]
fn types_of_the_real_server_that_the_lab_does_not_have_are_empty_and_say_so() {
    let api = api();
    assert_eq!(
        ok(&api, "GET", "/bgp-routers", None)["bgp-routers"],
        json!([])
    );
    let body = json!({"bgp-router": {"fq_name": ["x"]}});
    let refused = send(&api, "POST", "/bgp-routers", Some(body));
    assert_eq!(refused.status, 501);
    assert!(text(&refused).contains("bgp-router"));
    assert_eq!(send(&api, "POST", "/set-tag", Some(json!({}))).status, 501);
}

#[test]
fn a_thousand_networks_are_found_by_name_and_by_reference() {
    let api = api();
    for index in 0..1000 {
        let name = format!("vn{index}");
        let prefix = format!("10.{}.{}.0", index / 250, index % 250);
        create(&api, "virtual-network", network(&name, &prefix));
    }
    let name = "default-domain:default-project:vn777";
    let target = format!("/virtual-networks?fq_names={name}&detail=true");
    let found = ok(&api, "GET", &target, None);
    assert_eq!(
        found["virtual-networks"][0]["virtual-network"]["name"],
        "vn777"
    );
    let count = ok(&api, "GET", "/virtual-networks?count=true", None);
    assert_eq!(count["virtual-networks"]["count"], 1004);
}
