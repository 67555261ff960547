//! Pools: bound to virtual networks, counted, made and removed.

use contrail_core::FqName;
use contrail_core::api::{IpamSubnet, NetworkIpam, VirtualNetwork};
use contrail_lab::faults::{Action, Rule};
use contrail_lab::http::ServiceName;
use opencontrail_tests::world::make_flat_network;
use opencontrail_tests::{faults, wait_for};
use serde_json::json;

use crate::world::World;

#[test]
fn a_pool_without_a_network_is_refused_with_the_option_that_names_one() {
    let world = World::new();
    let error = world
        .pool("10.1.1.0/24", json!({}))
        .unwrap_err()
        .to_string();
    assert!(error.contains("--ipam-opt name=net1"), "{error}");
    let error = world
        .pool("10.1.1.0/24", json!({"vn": "net1"}))
        .unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
    assert_eq!(world.files(), 0);
}

#[test]
fn without_options_the_one_network_of_the_project_with_the_subnet_is_meant() {
    let world = World::new();
    let client = world.client();
    let subnet = |prefix: &str| IpamSubnet::new(prefix.parse().unwrap());
    let make = |name: &str, prefixes: &[&str]| {
        let name = format!("default-domain:admin:{name}").parse().unwrap();
        let subnets = prefixes.iter().map(|prefix| subnet(prefix)).collect();
        let network = VirtualNetwork::new(name, NetworkIpam::default_name(), subnets);
        client.create(&network).unwrap();
    };
    make("net1", &["10.1.1.0/24", "fd00:1::/64"]);
    make("net2", &["10.1.2.0/24"]);
    make("net3", &["10.1.2.0/24", "10.1.3.0/24"]);
    make_flat_network(&client, &["10.60.0.0/24"], None);
    for (pool, expected) in [
        ("10.1.1.0/24", Ok("default-domain:admin:net1@10.1.1.0/24@")),
        ("fd00:1::/64", Ok("default-domain:admin:net1@fd00:1::/64@")),
        ("10.1.3.0/24", Ok("default-domain:admin:net3@10.1.3.0/24@")),
        (
            "10.60.0.0/24",
            Ok("default-domain:admin:pods@10.60.0.0/24@"),
        ),
        ("10.1.2.0/24", Err("net2, default-domain:admin:net3")),
        ("10.1.1.0/25", Err("has the subnet 10.1.1.0/25")),
        ("10.9.9.0/24", Err("has the subnet 10.9.9.0/24")),
        ("", Err("no subnet says which")),
    ] {
        match (world.pool(pool, json!({})), expected) {
            (Ok(answer), Ok(expected)) => {
                assert_eq!(answer["PoolID"], expected);
                world.gateway(expected, "").unwrap();
                world.release_pool(expected);
            }
            (Err(error), Err(expected)) => {
                let error = error.to_string();
                assert!(error.contains(expected), "{pool}: {error}");
                assert!(error.contains("external: true"), "{pool}: {error}");
            }
            (outcome, _) => panic!("{pool}: {outcome:?}"),
        }
    }
    assert_eq!((world.networks().len(), world.files()), (4, 0));
}

#[test]
fn the_network_is_made_with_the_gateway_that_the_user_wants_and_goes_with_the_last_pool() {
    let world = World::new();
    let pool = world.pool("10.1.1.0/24", json!({"name": "net1"})).unwrap();
    assert_eq!(pool["Pool"], "10.1.1.0/24");
    assert_eq!(
        world.networks(),
        [""; 0],
        "nothing is made before the gateway is known"
    );
    let id = pool["PoolID"].as_str().unwrap();
    assert_eq!(world.gateway(id, "10.1.1.1").unwrap(), "10.1.1.1/24");
    assert_eq!(world.networks(), ["default-domain:admin:net1"]);
    // A second Docker network of the same kind.
    let again = world.pool("10.1.1.0/24", json!({"name": "net1"})).unwrap();
    assert_eq!(again["PoolID"], pool["PoolID"]);
    world.release(id, "10.1.1.1");
    world.release_pool(id);
    assert_eq!(world.networks().len(), 1);
    world.release_pool(id);
    world.release_pool(id);
    assert_eq!((world.networks().len(), world.files()), (0, 0));
}

#[test]
fn an_existing_network_is_used_and_stays() {
    let world = World::new();
    let client = world.client();
    let name: FqName = "default-domain:admin:net1".parse().unwrap();
    let subnet = IpamSubnet::new("10.1.1.0/24".parse().unwrap());
    let network = VirtualNetwork::new(name, NetworkIpam::default_name(), vec![subnet]);
    client.create(&network).unwrap();
    for option in ["name", "vn"] {
        let pool = world.pool("10.1.1.0/24", json!({option: "net1"})).unwrap();
        let id = pool["PoolID"].as_str().unwrap();
        assert_eq!(world.gateway(id, "").unwrap(), "10.1.1.254/24");
        world.release_pool(id);
        assert_eq!((world.networks().len(), world.files()), (1, 0));
    }
}

#[test]
fn what_contradicts_the_network_is_refused_with_both_values() {
    let world = World::new();
    let id = world.net1();
    let error = world
        .pool("10.9.0.0/16", json!({"name": "net1"}))
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("10.1.1.0/24") && text.contains("10.9.0.0/16"),
        "{text}"
    );
    assert!(text.contains("--ipam-opt add-subnet=true"), "{text}");
    let error = world.gateway(&id, "10.1.1.7").unwrap_err().to_string();
    assert!(
        error.contains("10.1.1.254") && error.contains("10.1.1.7"),
        "{error}"
    );
}

#[test]
fn a_second_subnet_is_added_when_asked_for_and_gives_its_own_addresses() {
    let world = World::new();
    let first = world.net1();
    let options = json!({"name": "net1", "add-subnet": "true"});
    let pool = world.pool("10.1.9.0/24", options.clone()).unwrap();
    let second = pool["PoolID"].as_str().unwrap();
    assert_eq!(world.gateway(second, "10.1.9.1").unwrap(), "10.1.9.1/24");
    for (id, prefix) in [(&*first, "10.1.1."), (second, "10.1.9.")] {
        let address = world.address(id, "").unwrap();
        assert!(address.starts_with(prefix), "{address}");
        world.release(id, &address);
    }
    // Another host has the network as it is now.
    world.pool("10.1.9.0/24", json!({"name": "net1"})).unwrap();
    // A network of somebody else is never changed.
    let client = world.client();
    let name: FqName = "default-domain:admin:theirs".parse().unwrap();
    let subnet = IpamSubnet::new("10.2.1.0/24".parse().unwrap());
    let network = VirtualNetwork::new(name, NetworkIpam::default_name(), vec![subnet]);
    client.create(&network).unwrap();
    let options = json!({"name": "theirs", "add-subnet": "true"});
    let error = world.pool("10.2.2.0/24", options).unwrap_err().to_string();
    assert!(error.contains("10.2.2.0/24"), "{error}");
}

#[test]
fn the_subnet_of_a_flat_ipam_is_a_pool() {
    let world = World::new();
    make_flat_network(&world.client(), &["10.60.0.0/24", "10.61.0.0/24"], None);
    let pool = world.pool("10.60.0.0/24", json!({"vn": "pods"})).unwrap();
    let id = pool["PoolID"].as_str().unwrap().to_owned();
    assert_eq!(world.gateway(&id, "").unwrap(), "10.60.0.254/24");
    assert_eq!(world.address(&id, "").unwrap(), "10.60.0.252/24");
    assert_eq!(world.address(&id, "10.60.0.9").unwrap(), "10.60.0.9/24");
}

#[test]
fn without_a_subnet_each_request_gets_another_one_of_the_network() {
    let world = World::new();
    let error = world
        .pool("", json!({"name": "net1"}))
        .unwrap_err()
        .to_string();
    assert!(error.contains("--subnet"), "{error}");
    let given = world.net1();
    // It is out: Docker would ask for ever if it got the same one again.
    let error = world
        .pool("", json!({"vn": "net1"}))
        .unwrap_err()
        .to_string();
    assert!(error.contains("10.1.1.0/24"), "{error}");
    // The engine restarts and has forgotten it, or will ask for it by its prefix.
    world.engine_starts();
    let pool = world.pool("", json!({"vn": "net1"})).unwrap();
    assert_eq!(
        (&*given, pool["Pool"].as_str()),
        (pool["PoolID"].as_str().unwrap(), Some("10.1.1.0/24"))
    );
    world.pool("", json!({"vn": "net1"})).unwrap_err();
}

#[test]
fn an_ip_range_is_the_networks_allocation_pool() {
    let world = World::new();
    let pool = world
        .call(
            "IpamDriver.RequestPool",
            json!({"Pool": "10.1.1.0/24", "SubPool": "10.1.1.64/26", "Options": {"name": "net1"}}),
        )
        .unwrap();
    let id = pool["PoolID"].as_str().unwrap();
    world.gateway(id, "10.1.1.1").unwrap();
    let address = world.address(id, "").unwrap();
    assert!(
        address.starts_with("10.1.1.1") && address.len() > 12,
        "{address}"
    );
    world.release(id, &address);
    world.release_pool(id);
    assert_eq!((world.networks().len(), world.files()), (0, 0));
}

#[test]
fn both_families_are_subnets_of_one_network() {
    let world = World::new();
    let v4 = world.net1();
    let pool = world.pool("fd00:1::/64", json!({"name": "net1"})).unwrap();
    let v6 = pool["PoolID"].as_str().unwrap();
    let gateway = world.gateway(v6, "").unwrap();
    assert!(gateway.starts_with("fd00:1::"), "{gateway}");
    let address = world.address(v6, "").unwrap();
    assert!(address.ends_with("/64"), "{address}");
    world.release(v6, &address);
    world.release_pool(v6);
    world.release_pool(&v4);
    assert_eq!((world.networks().len(), world.files()), (0, 0));
}

#[test]
fn two_that_want_any_subnet_at_once_get_different_ones() {
    let world = World::new();
    let subnets: Vec<IpamSubnet> = (1..=8)
        .map(|number| IpamSubnet::new(format!("10.1.{number}.0/24").parse().unwrap()))
        .collect();
    let name: FqName = "default-domain:admin:theirs".parse().unwrap();
    let network = VirtualNetwork::new(name, NetworkIpam::default_name(), subnets);
    world.client().create(&network).unwrap();
    let mut pools = std::thread::scope(|scope| {
        let ask = || world.pool("", json!({"name": "theirs"})).unwrap()["PoolID"].to_string();
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        let pools = asking.into_iter().map(|thread| thread.join().unwrap());
        pools.collect::<Vec<_>>()
    });
    pools.sort();
    pools.dedup();
    assert_eq!(pools.len(), 8, "{pools:?}");
}

#[test]
fn two_subnets_that_are_added_at_once_are_both_there() {
    let world = World::new();
    world.net1();
    std::thread::scope(|scope| {
        for number in 2..8 {
            let world = &world;
            scope.spawn(move || {
                let options = json!({"name": "net1", "add-subnet": "true"});
                let pool = world.pool(&format!("10.1.{number}.0/24"), options).unwrap();
                let gateway = world.gateway(pool["PoolID"].as_str().unwrap(), "");
                gateway.unwrap();
            });
        }
    });
    let name: FqName = "default-domain:admin:net1".parse().unwrap();
    let found: VirtualNetwork = world.client().lookup(&name).unwrap().unwrap();
    assert_eq!(found.subnets().count(), 7);
}

#[test]
fn an_address_that_cannot_go_back_does_not_keep_other_networks() {
    let world = World::new();
    let first = world.net1();
    world.address(&first, "10.1.1.7").unwrap();
    let options = json!({"name": "net2"});
    let second = world.pool("10.1.2.0/24", options).unwrap();
    let second = second["PoolID"].as_str().unwrap();
    world.gateway(second, "").unwrap();
    world.lab.faults().add(Rule {
        service: ServiceName::ConfigApi,
        method: Some("DELETE".into()),
        path: Some("/instance-ip/".into()),
        skip: 0,
        count: None,
        action: faults::status(403),
    });
    world.release_pool(&first);
    world.release_pool(second);
    assert_eq!(world.networks(), ["default-domain:admin:net1"]);
    world.lab.faults().clear();
    world.tidy();
    assert_eq!((world.networks().len(), world.files()), (0, 0));
}

#[test]
fn a_pool_that_is_asked_for_while_its_last_end_is_tidied_up_stays() {
    let world = World::new();
    let pool = world.net1();
    world.address(&pool, "10.1.1.7").unwrap();
    let slow = |action| Rule {
        service: ServiceName::ConfigApi,
        method: Some("DELETE".into()),
        path: Some("/instance-ip/".into()),
        skip: 0,
        count: None,
        action,
    };
    world.lab.faults().add(slow(faults::status(503)));
    world.release_pool(&pool);
    world.lab.faults().clear();
    world.lab.faults().add(slow(Action::Delay(300)));
    std::thread::scope(|scope| {
        scope.spawn(|| world.tidy());
        wait_for("the address on its way back", || {
            world.lab.faults().list()[0].hit == 1
        });
        // As Docker does for a new network with the same subnet.
        assert_eq!(world.net1(), pool);
        world.address(&pool, "10.1.1.7").unwrap();
    });
    world.tidy();
    assert_eq!(world.addresses(), ["10.1.1.7"]);
    assert_eq!(world.networks().len(), 1);
    world.release(&pool, "10.1.1.7");
    world.release_pool(&pool);
    assert_eq!((world.networks().len(), world.files()), (0, 0));
}
