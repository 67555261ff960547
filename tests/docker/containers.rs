//! Containers through their lives, with addresses of Docker's IPAM and of ours.

use std::collections::BTreeSet;

use crate::engine::{docker, label, remove_containers};
use crate::world::{World, address_of, docker_in, name, reaches};

/// The two ways to get addresses: options of `docker network create`.
fn ipams() -> [String; 2] {
    let own = format!("--ipam-driver {} --ipam-opt name=net1", name());
    [String::new(), own]
}

#[test]
fn a_container_joins_and_leaves_in_every_way() {
    let Some(world) = World::start("a_container_joins_and_leaves_in_every_way") else {
        return;
    };
    for ipam in ipams() {
        world.network(&format!("-o name=net1 {ipam} --subnet 10.1.1.0/24 oct1"));
        let empty = world.left();
        world.run("--network oct1 --name oct-a --hostname a");
        world.assert_agreed("oct-a", "oct1");
        docker("restart -t 0 oct-a").ok();
        world.assert_agreed("oct-a", "oct1");
        docker("pause oct-a").ok();
        docker("unpause oct-a").ok();
        world.assert_agreed("oct-a", "oct1");
        docker("network disconnect oct1 oct-a").ok();
        assert_eq!(world.left(), empty, "{}", world.log());
        docker("network connect oct1 oct-a").ok();
        world.assert_agreed("oct-a", "oct1");
        for end in ["stop -t 0", "kill"] {
            docker(&format!("{end} oct-a")).ok();
            docker("wait oct-a").ok();
            assert_eq!(world.left(), empty, "{end}: {}", world.log());
            docker("start oct-a").ok();
            world.assert_agreed("oct-a", "oct1");
        }
        docker("rm -f oct-a").ok();
        assert_eq!(world.left(), empty);
        docker("network rm oct1").ok();
        world.assert_clean();
    }
}

#[test]
fn addresses_that_are_asked_for_are_given_and_clashes_named() {
    let Some(world) = World::start("addresses_that_are_asked_for_are_given_and_clashes_named")
    else {
        return;
    };
    for ipam in ipams() {
        world.network(&format!("-o name=net1 {ipam} --subnet 10.1.1.0/24 oct1"));
        world.run("--network oct1 --name oct-a --ip 10.1.1.77 --mac-address 02:42:00:00:00:77");
        world.assert_agreed("oct-a", "oct1");
        let links = docker_in("oct-a", "ip -o link show dev eth0");
        assert!(links.contains("02:42:00:00:00:77"), "{links}");
        let error = world
            .try_run("--network oct1 --name oct-b --ip 10.1.1.77")
            .refused();
        assert!(!error.is_empty());
        remove_containers(&["oct-a", "oct-b"]);
        docker("network rm oct1").ok();
        world.assert_clean();
    }
}

#[test]
fn one_network_pings_and_two_do_not() {
    let Some(world) = World::start("one_network_pings_and_two_do_not") else {
        return;
    };
    world.network("-o rt=64512:1 -o name=net1 --subnet 10.1.1.0/24 oct1");
    world.network("-o rt=64512:2 -o name=net2 --subnet 10.1.2.0/24 oct2");
    let image = name();
    let label = label();
    docker(&format!(
        "create --label {label} --name oct-si --net oct1 {image} sleep 1d"
    ))
    .ok();
    docker("network connect oct2 oct-si").ok();
    docker("start oct-si").ok();
    world.run("--net oct1 --name oct-a");
    world.run("--net oct2 --name oct-b");
    for (container, network) in [
        ("oct-si", "oct1"),
        ("oct-si", "oct2"),
        ("oct-a", "oct1"),
        ("oct-b", "oct2"),
    ] {
        world.assert_agreed(container, network);
    }
    assert!(reaches("oct-a", &address_of("oct-si", "eth0").to_string()));
    assert!(reaches("oct-b", &address_of("oct-si", "eth1").to_string()));
    assert!(!reaches("oct-a", &address_of("oct-b", "eth0").to_string()));
    // A container on two networks is one virtual machine, whichever it leaves first.
    let machines = |world: &World| {
        let left = world.left().into_iter();
        left.filter(|line| line.starts_with("virtual-machine "))
            .count()
    };
    assert_eq!(machines(&world), 3);
    for first in ["oct1", "oct2"] {
        docker(&format!("network disconnect {first} oct-si")).ok();
        assert_eq!(machines(&world), 3);
        docker(&format!("network connect {first} oct-si")).ok();
        world.assert_agreed("oct-si", first);
    }
    remove_containers(&["oct-si", "oct-a", "oct-b"]);
    docker("network rm oct1 oct2").ok();
    world.assert_clean();
}

#[test]
fn both_families_reach_each_other() {
    let Some(world) = World::start("both_families_reach_each_other") else {
        return;
    };
    for ipam in ipams() {
        world.network(&format!(
            "-o name=net1 {ipam} --ipv6 --subnet 10.1.1.0/24 --subnet fd00:1::/64 oct1"
        ));
        world.run("--network oct1 --name oct-a --ip6 fd00:1::77");
        world.run("--network oct1 --name oct-b");
        world.assert_agreed("oct-a", "oct1");
        world.assert_agreed("oct-b", "oct1");
        assert!(reaches("oct-b", &address_of("oct-a", "eth0").to_string()));
        docker_in("oct-b", "ping6 -c 3 -W 2 fd00:1::77");
        remove_containers(&["oct-a", "oct-b"]);
        docker("network rm oct1").ok();
        world.assert_clean();
    }
}

#[test]
fn twenty_containers_run_at_once() {
    let Some(world) = World::start("twenty_containers_run_at_once") else {
        return;
    };
    for ipam in ipams() {
        world.network(&format!("-o name=net1 {ipam} --subnet 10.1.1.0/24 oct1"));
        let names: Vec<String> = (0..20).map(|number| format!("oct-{number}")).collect();
        // One after the other, as they are removed.
        for name in &names {
            world.run(&format!("--network oct1 --name {name}"));
        }
        let addresses: BTreeSet<_> = names.iter().map(|name| address_of(name, "eth0")).collect();
        assert_eq!(addresses.len(), 20);
        let ports = world.lab().status().ports.len();
        assert_eq!(ports, 20);
        remove_containers(&names);
        docker("network rm oct1").ok();
        world.assert_clean();
    }
}

#[test]
fn a_start_that_fails_leaves_nothing() {
    let Some(world) = World::start("a_start_that_fails_leaves_nothing") else {
        return;
    };
    for ipam in ipams() {
        world.network(&format!("-o name=net1 {ipam} --subnet 10.1.1.0/24 oct1"));
        let empty = world.left();
        let (image, label) = (name(), label());
        // The engine asks for everything, and then the program does not exist.
        docker(&format!(
            "run -d --label {label} --network oct1 --name oct-a {image} nonsense"
        ))
        .refused();
        docker("rm -f oct-a").ok();
        assert_eq!(world.left(), empty, "{}", world.log());
        docker("network rm oct1").ok();
        world.assert_clean();
    }
}
