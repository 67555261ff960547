//! The IPAM driver under another network driver: Docker's own bridge.

use std::collections::BTreeSet;

use contrail_lab::lab::Restartable;

use crate::engine::{docker, inspect, label, remove_containers};
use crate::world::{World, address_of, name};

#[test]
fn a_bridge_takes_its_addresses_from_a_virtual_network() {
    let Some(world) = World::start("a_bridge_takes_its_addresses_from_a_virtual_network") else {
        return;
    };
    let (driver, label) = (name(), label());
    let create = format!("network create -d bridge --ipam-driver {driver} --label {label}");
    let error = docker(&format!("{create} --subnet 10.213.1.0/24 octest-b")).refused();
    assert!(error.contains("--ipam-opt name="), "{error}");
    world.assert_clean();

    docker(&format!(
        "{create} --ipam-opt name=net1 --subnet 10.213.1.0/24 --gateway 10.213.1.1 \
         --aux-address printer=10.213.1.9 octest-b"
    ))
    .ok();
    let config = &inspect("octest-b")["IPAM"]["Config"][0];
    assert_eq!(config["Gateway"], "10.213.1.1");
    world.run("--network octest-b --name octest-1");
    world.run("--network octest-b --name octest-2 --ip 10.213.1.20");
    let first = address_of("octest-1", "eth0");
    assert_eq!(address_of("octest-2", "eth0").to_string(), "10.213.1.20");
    docker(&format!("exec octest-1 ping -c1 -w5 {}", "10.213.1.20")).ok();
    let held: BTreeSet<String> = world
        .left()
        .into_iter()
        .filter(|line| line.starts_with("instance-ip"))
        .collect();
    assert_eq!(held.len(), 3, "{held:?} {first}");
    for taken in ["10.213.1.9", "10.213.1.20"] {
        let error = world
            .try_run(&format!("--network octest-b --ip {taken} --name octest-3"))
            .refused();
        assert!(error.contains("is taken: reserved by Docker"), "{error}");
        docker("rm octest-3").ok();
    }
    remove_containers(&["octest-1", "octest-2"]);
    docker("network rm octest-b").ok();
    world.assert_clean();
}

#[test]
fn a_killed_plugin_and_a_controller_that_is_down_lose_no_address() {
    let Some(mut world) =
        World::start("a_killed_plugin_and_a_controller_that_is_down_lose_no_address")
    else {
        return;
    };
    let (driver, label) = (name(), label());
    docker(&format!(
        "network create -d bridge --ipv6 --ipam-driver {driver} --label {label} \
         --ipam-opt name=net1 --subnet 10.213.1.0/24 --subnet fd00:213::/64 octest-b"
    ))
    .ok();
    let empty = world.left();
    world.restart_plugin();
    let names: Vec<String> = (0..10).map(|number| format!("octest-{number}")).collect();
    for name in &names {
        world.run(&format!("--network octest-b --name {name}"));
    }
    let addresses: BTreeSet<_> = names.iter().map(|name| address_of(name, "eth0")).collect();
    assert_eq!(addresses.len(), names.len());
    world.restart_plugin();
    world.lab().stop_service(Restartable::ConfigApi);
    remove_containers(&names);
    world.lab().start_service(Restartable::ConfigApi).unwrap();
    world.wait_until("the addresses are given back", |world| {
        world.left() == empty
    });
    docker("network rm octest-b").ok();
    world.assert_clean();
}
