//! Networks of a swarm, by the managed plugin: a swarm takes no other driver.

use std::process::Command;

use opencontrail_tests::wait_for;

use crate::engine::{docker, run};
use crate::own_engine;
use crate::world::{World, name};

/// The name that the plugin gets from `build-plugin` without another one.
const PLUGIN: &str = "opencontrail:latest";

fn managed_plugin(world: &World) {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/deploy/build-plugin"
    );
    run(&mut Command::new(script)).ok();
    let addresses = world.lab().addresses();
    docker(&format!(
        "plugin set {PLUGIN} SCOPE=global CONFIG_API_SERVER={} VROUTER_AGENT_IP={}",
        addresses.config_api, addresses.agent
    ))
    .ok();
    docker(&format!("plugin enable {PLUGIN}")).ok();
}

fn a_service(world: &World) {
    let image = name();
    docker(&format!(
        "network create -d {PLUGIN} -o name=net1 -o rt=64512:7 --subnet 10.1.1.0/24 net1"
    ))
    .ok();
    docker(&format!(
        "service create --quiet --detach --name web --replicas 2 --network net1 {image} sleep 1d"
    ))
    .ok();
    world.wait_until("two containers are attached", |world| {
        let ports = world.lab().status().ports;
        ports.iter().filter(|port| port.active).count() == 2
    });
    // The manager has passed the options on to the node.
    let network = world.virtual_network("net1");
    let targets = &network.route_target_list.route_target;
    assert_eq!(targets, &["target:64512:7"]);
    let ports = world.lab().status().ports;
    let container = docker("ps -q --filter label=com.docker.swarm.service.name=web").ok();
    let container = container.lines().next().unwrap();
    for address in ports.iter().flat_map(|port| &port.addresses) {
        docker(&format!("exec {container} ping -c 1 -W 5 {address}")).ok();
    }
    docker("service rm web").ok();
    world.wait_until("the containers are gone", |world| {
        world.lab().status().ports.is_empty()
    });
    world.wait_until("the network can be removed", |_| {
        docker("network rm net1").success
    });
    world.wait_until("nothing is left", |world| world.left().is_empty());
}

#[test]
fn services_of_a_swarm_join_by_the_managed_plugin() {
    let test = "swarm::services_of_a_swarm_join_by_the_managed_plugin";
    own_engine::isolated(test, &[], |engine| {
        let world = World::start(test).unwrap();
        docker("swarm init --advertise-addr 127.0.0.1").ok();
        let refused = docker(&format!(
            "network create -d {} --scope swarm -o name=net1 --subnet 10.1.1.0/24 net1",
            name()
        ));
        let refused = refused.refused();
        assert!(refused.contains("not supported in swarm mode"), "{refused}");
        managed_plugin(&world);
        a_service(&world);
        docker(&format!(
            "network create -d {PLUGIN} --ipam-driver {PLUGIN} --ipam-opt name=net1 net1"
        ))
        .ok();
        wait_for("a reason in the engine's log", || {
            engine.log().contains("leave --ipam-driver out")
        });
        docker("network rm net1").ok();
        world.assert_clean();
        docker(&format!("plugin rm -f {PLUGIN}")).ok();
    });
}
