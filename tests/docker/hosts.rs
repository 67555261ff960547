//! Two hosts with one controller: one network, one allocator, and whoever goes last tidies up.

use crate::engine::docker;
use crate::world::{World, address_of, name, reaches, second_name};

#[test]
fn two_hosts_share_a_virtual_network_until_the_last_one_leaves() {
    let Some(mut world) =
        World::start("two_hosts_share_a_virtual_network_until_the_last_one_leaves")
    else {
        return;
    };
    world.second_host();
    let drivers = [name(), second_name()];
    for order in [["oct1", "oct2"], ["oct2", "oct1"]] {
        for (network, driver) in ["oct1", "oct2"].iter().zip(&drivers) {
            let label = crate::engine::label();
            docker(&format!(
                "network create -d {driver} --ipam-driver {driver} --ipam-opt name=net1 \
                 --label {label} -o name=net1 --subnet 10.1.1.0/24 {network}"
            ))
            .ok();
        }
        world.run("--network oct1 --name oct-a --ip 10.1.1.20");
        let error = world
            .try_run("--network oct2 --name oct-b --ip 10.1.1.20")
            .refused();
        assert!(error.contains("on host node1"), "{error}");
        docker("rm oct-b").ok();
        world.run("--network oct2 --name oct-b");
        assert!(reaches("oct-b", "10.1.1.20"));
        assert!(reaches("oct-a", &address_of("oct-b", "eth0").to_string()));
        let [first, last] = order;
        let container = if first == "oct1" { "oct-a" } else { "oct-b" };
        docker(&format!("rm -f {container}")).ok();
        docker(&format!("network rm {first}")).ok();
        // It is in use, and would be without a container too.
        world.virtual_network("net1");
        docker("rm -f oct-a oct-b");
        world.virtual_network("net1");
        docker(&format!("network rm {last}")).ok();
        world.assert_clean();
    }
}
