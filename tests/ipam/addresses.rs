//! Addresses: given out once, said again after a restart, and given back whatever happens.

use contrail_core::values::Family;
use contrail_lab::faults::{Action, Rule, StatusAnswer};
use contrail_lab::http::ServiceName;
use serde_json::json;

use crate::world::{World, call};

fn broken() -> Action {
    Action::Status(StatusAnswer {
        code: 500,
        body: String::new(),
        content_type: "text/html".into(),
    })
}

#[test]
fn the_three_kinds_of_address_are_given_out_and_given_back() {
    let world = World::new();
    let pool = world.net1();
    let any = world.address(&pool, "").unwrap();
    assert_eq!(any, "10.1.1.252/24");
    assert_eq!(world.address(&pool, "10.1.1.9").unwrap(), "10.1.1.9/24");
    assert_eq!(world.addresses(), ["10.1.1.252", "10.1.1.9"]);
    for _ in 0..2 {
        world.release(&pool, &any);
        world.release(&pool, "10.1.1.9");
    }
    assert!(world.addresses().is_empty());
    world.release(&pool, "10.1.1.254");
    world.release_pool(&pool);
    assert_eq!((world.networks().len(), world.files()), (0, 0));
}

#[test]
fn a_taken_address_is_refused_with_its_holder() {
    let world = World::new();
    let pool = world.net1();
    world.address(&pool, "10.1.1.9").unwrap();
    let error = world.address(&pool, "10.1.1.9").unwrap_err().to_string();
    assert_eq!(
        error,
        "address 10.1.1.9 of virtual network default-domain:admin:net1 \
         is taken: reserved by Docker on this host"
    );
    let other = world.other_host();
    let arguments = json!({"PoolID": pool, "Address": "10.1.1.9", "Options": null});
    let error = call(&other, "IpamDriver.RequestAddress", arguments).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("reserved by Docker on host node1"),
        "{error}"
    );
    let error = world.address(&pool, "10.1.1.254").unwrap_err().to_string();
    assert!(error.contains("gateway"), "{error}");
    let error = world.address(&pool, "10.1.2.9").unwrap_err().to_string();
    assert!(error.contains("outside of the pool 10.1.1.0/24"), "{error}");
    world.address("nonsense", "").unwrap_err();
}

#[test]
fn a_restarted_engine_gets_again_what_it_had() {
    let mut world = World::new();
    let pool = world.net1();
    world.address(&pool, "10.1.1.9").unwrap();
    world.restart();
    world.address(&pool, "10.1.1.9").unwrap_err();
    world.engine_starts();
    assert_eq!(world.net1(), pool);
    assert_eq!(world.address(&pool, "10.1.1.9").unwrap(), "10.1.1.9/24");
    world.address(&pool, "10.1.1.9").unwrap_err();
    world.release(&pool, "10.1.1.9");
    world.release_pool(&pool);
    assert_eq!((world.networks().len(), world.files()), (0, 0));
}

#[test]
fn lost_state_is_found_again_by_the_mark_of_this_host() {
    let mut world = World::new();
    let pool = world.net1();
    let addresses = [(); 3].map(|()| world.address(&pool, "").unwrap());
    world.lose_state();
    world.engine_starts();
    assert_eq!(world.net1(), pool);
    assert_eq!(
        world
            .address(&pool, addresses[0].split('/').next().unwrap())
            .unwrap(),
        addresses[0]
    );
    world.lose_state();
    for address in &addresses {
        world.release(&pool, address);
    }
    assert!(world.addresses().is_empty());
}

#[test]
fn a_network_that_vanished_is_made_again_as_it_was() {
    let world = World::new();
    let pool = world.pool("10.1.1.0/24", json!({"name": "net1"})).unwrap();
    let pool = pool["PoolID"].as_str().unwrap();
    world.gateway(pool, "10.1.1.1").unwrap();
    let client = world.client();
    let name = "default-domain:admin:net1".parse().unwrap();
    let id = client
        .id_of::<contrail_core::api::VirtualNetwork>(&name)
        .unwrap()
        .unwrap();
    client
        .delete::<contrail_core::api::VirtualNetwork>(id)
        .unwrap();
    // The gateway is .1 again, so .254 is free.
    assert_eq!(world.address(pool, "").unwrap(), "10.1.1.254/24");
}

#[test]
fn what_the_api_does_not_take_back_at_once_it_gets_later() {
    let world = World::new();
    let pool = world.net1();
    let address = world.address(&pool, "").unwrap();
    world.lab.faults().add(Rule {
        service: ServiceName::ConfigApi,
        method: Some("DELETE".into()),
        path: None,
        skip: 0,
        count: None,
        action: broken(),
    });
    world.release(&pool, &address);
    assert_eq!(world.addresses().len(), 1);
    world.lab.faults().clear();
    // The same address is asked for before it is back.
    let again = address.split('/').next().unwrap();
    assert_eq!(world.address(&pool, again).unwrap(), address);
    world.release(&pool, &address);
    assert!(world.addresses().is_empty());
}

#[test]
fn an_answer_that_was_lost_leaks_no_address() {
    let world = World::new();
    let pool = world.net1();
    world.lab.faults().add(Rule {
        service: ServiceName::ConfigApi,
        method: Some("GET".into()),
        path: Some("/instance-ip/".into()),
        skip: 0,
        count: None,
        action: broken(),
    });
    world.address(&pool, "").unwrap_err();
    world.lab.faults().clear();
    world.release_pool(&pool);
    assert!(world.addresses().is_empty());
    assert_eq!((world.networks().len(), world.files()), (0, 0));
}

#[test]
fn twenty_at_once_get_twenty_addresses() {
    let world = World::new();
    let pool = world.net1();
    let mut addresses = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| world.address(&pool, "").unwrap()))
            .collect();
        asking
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>()
    });
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 20);
    std::thread::scope(|scope| {
        for address in &addresses {
            scope.spawn(|| world.release(&pool, address));
        }
    });
    assert!(world.addresses().is_empty());
}

#[test]
fn the_network_driver_finds_the_reservation_of_an_address() {
    let mut world = World::new();
    let pool = world.net1();
    let address = world.address(&pool, "").unwrap();
    let address = address.split('/').next().unwrap().parse().unwrap();
    let name = "default-domain:admin:net1".parse().unwrap();
    let client = world.client();
    let network = client
        .id_of::<contrail_core::api::VirtualNetwork>(&name)
        .unwrap()
        .unwrap();
    let found = world.reservation(network, address).unwrap();
    let object: contrail_core::api::InstanceIp = client.get(found).unwrap();
    assert_eq!(object.address, Some(address));
    assert_eq!(object.family, Some(Family::V4.to_string()));
    world.lose_state();
    assert_eq!(world.reservation(network, address), Some(found));
    let foreign = "10.1.1.77".parse().unwrap();
    assert_eq!(world.reservation(network, foreign), None);
}
