//! Networks: each option, who owns what, and what is refused.

use serde_json::Value;

use crate::engine::{docker, inspect, label, remove_containers};
use crate::world::{World, docker_in, name, reaches};

#[test]
fn the_networks_of_the_walk_through_are_virtual_networks() {
    let Some(world) = World::start("the_networks_of_the_walk_through_are_virtual_networks") else {
        return;
    };
    world.network("-o rt=64512:1 -o name=net1 --subnet 10.1.1.0/24 oct1");
    world.network("-o rt=64512:2,64512:3 -o name=net2 --subnet 10.1.2.0/24 oct2");
    let net1 = world.virtual_network("net1");
    assert_eq!(net1.route_target_list.route_target, ["target:64512:1"]);
    let subnet = net1.subnets().next().unwrap();
    assert_eq!(subnet.prefix().unwrap().to_string(), "10.1.1.0/24");
    assert_eq!(subnet.gateway().unwrap().to_string(), "10.1.1.1");
    let net2 = world.virtual_network("net2");
    assert_eq!(
        net2.route_target_list.route_target,
        ["target:64512:2", "target:64512:3"]
    );
    let shown = inspect("oct1");
    assert_eq!(shown["Options"]["rt"], "64512:1");
    docker("network rm oct1 oct2").ok();
    world.assert_clean();
}

#[test]
fn each_option_is_seen_in_the_container_or_in_the_controller() {
    let Some(world) = World::start("each_option_is_seen_in_the_container_or_in_the_controller")
    else {
        return;
    };
    world.network(
        "-o name=net1 -o mtu=1400 -o import-rt=65000:7 -o export-rt=1.2.3.4:8 --ipv6 \
         --subnet 10.1.1.0/24 --gateway 10.1.1.9 --aux-address printer=10.1.1.2 \
         --subnet fd00:1::/64 --gateway fd00:1::9 oct1",
    );
    world.run("--network oct1 --name oct-a");
    let links = docker_in("oct-a", "ip -o link show dev eth0");
    assert!(links.contains("mtu 1400"), "{links}");
    let routes = docker_in("oct-a", "ip route");
    assert!(routes.contains("default via 10.1.1.9"), "{routes}");
    let routes = docker_in("oct-a", "ip -6 route");
    assert!(routes.contains("default via fd00:1::9"), "{routes}");
    world.assert_agreed("oct-a", "oct1");
    let network = serde_json::to_value(world.virtual_network("net1")).unwrap();
    let targets = |key: &str| network[key]["route_target"][0].as_str().map(str::to_owned);
    assert_eq!(
        targets("import_route_target_list").as_deref(),
        Some("target:65000:7")
    );
    assert_eq!(
        targets("export_route_target_list").as_deref(),
        Some("target:1.2.3.4:8")
    );
    docker("rm -f oct-a").ok();
    docker("network rm oct1").ok();
    world.assert_clean();
}

#[test]
fn an_internal_network_has_no_way_out() {
    let Some(world) = World::start("an_internal_network_has_no_way_out") else {
        return;
    };
    for option in ["--internal", "-o gateway=none"] {
        world.network(&format!("-o name=net1 {option} --subnet 10.1.1.0/24 oct1"));
        world.run("--network oct1 --name oct-a");
        let routes = docker_in("oct-a", "ip route");
        assert!(!routes.contains("default"), "{option}: {routes}");
        let links = docker_in("oct-a", "ip -o link");
        assert!(!links.contains("eth1"), "{option}: {links}");
        docker("rm -f oct-a").ok();
        docker("network rm oct1").ok();
        world.assert_clean();
    }
}

#[test]
fn two_docker_networks_share_a_virtual_network_and_the_last_one_removes_it() {
    let Some(world) =
        World::start("two_docker_networks_share_a_virtual_network_and_the_last_one_removes_it")
    else {
        return;
    };
    // Docker's own IPAM refuses the same subnet twice: the second network's addresses are ours.
    world.network("-o name=net1 --subnet 10.1.1.0/24 --gateway 10.1.1.1 oct1");
    let ipam = format!("--ipam-driver {} --ipam-opt name=net1", name());
    world.network(&format!("-o name=net1 {ipam} oct2"));
    world.run("--network oct1 --name oct-a --ip 10.1.1.20");
    world.run("--network oct2 --name oct-b");
    assert!(reaches("oct-b", "10.1.1.20"));
    remove_containers(&["oct-a", "oct-b"]);
    docker("network rm oct1").ok();
    world.virtual_network("net1");
    docker("network rm oct2").ok();
    world.assert_clean();
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let Some(world) = World::start("what_cannot_be_is_refused_with_its_reason") else {
        return;
    };
    let (driver, label) = (name(), label());
    let create = |line: &str| {
        docker(&format!(
            "network create -d {driver} --label {label} {line} oct1"
        ))
        .refused()
    };
    for (line, expected) in [
        (
            "-o nmae=net1 --subnet 10.1.1.0/24",
            "did you mean \"name\"?",
        ),
        ("-o rt=64512 --subnet 10.1.1.0/24", "rt"),
        ("-o name=net1 -o mtu=big --subnet 10.1.1.0/24", "mtu"),
        ("-o vn=nowhere --subnet 10.1.1.0/24", "does not exist"),
    ] {
        let error = create(line);
        assert!(error.contains(expected), "{line}: {error}");
        world.assert_clean();
    }
    world.network("-o name=net1 --subnet 10.1.1.0/24 oct0");
    let error = create("-o name=net1 --subnet 10.1.7.0/24");
    assert!(
        error.contains("10.1.1.0/24") && error.contains("10.1.7.0/24"),
        "{error}"
    );
    docker("network rm oct0").ok();
    world.assert_clean();
}

#[test]
fn an_adopted_network_is_never_removed() {
    let Some(world) = World::start("an_adopted_network_is_never_removed") else {
        return;
    };
    let client = world.client();
    let subnet = contrail_core::api::IpamSubnet::new("10.1.1.0/24".parse().unwrap());
    let network = contrail_core::api::VirtualNetwork::new(
        "default-domain:admin:net1".parse().unwrap(),
        contrail_core::api::NetworkIpam::default_name(),
        vec![subnet],
    );
    let id = client.create(&network).unwrap();
    let gateway = "--subnet 10.1.1.0/24 --gateway 10.1.1.254";
    for option in [
        "name=net1".to_owned(),
        "vn=net1".to_owned(),
        format!("vn={id}"),
    ] {
        world.network(&format!("-o {option} {gateway} oct1"));
        world.run("--network oct1 --name oct-a");
        world.assert_agreed("oct-a", "oct1");
        docker("rm -f oct-a").ok();
        docker("network rm oct1").ok();
        let left: Vec<String> = world.left().into_iter().collect();
        assert_eq!(left, ["virtual-network default-domain:admin:net1"]);
    }
    let found: Value = serde_json::to_value(world.virtual_network("net1")).unwrap();
    assert!(
        found
            .get("annotations")
            .is_none_or(|marks| !marks.to_string().contains("cnm"))
    );
}
