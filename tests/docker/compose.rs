//! `docker-compose up` and `down`.

use std::process::Command;

use crate::engine::{label, run};
use crate::world::{World, address_of, name, reaches};

#[test]
fn compose_brings_a_project_up_and_takes_it_down() {
    let Some(world) = World::start("compose_brings_a_project_up_and_takes_it_down") else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let (driver, label) = (name(), label());
    let service = |name: &str, networks: &str| {
        format!(
            "  {name}:\n    image: {driver}\n    command: sleep 1d\n    stop_grace_period: 0s\n    \
             container_name: oct-{name}\n    labels: [{label}]\n    networks: [{networks}]\n"
        )
    };
    let network = |name: &str, ipam: &str, subnet: &str| {
        format!(
            "  {name}:\n    driver: {driver}\n    labels: [{label}]\n    driver_opts: {{name: {name}}}\n    \
             ipam: {{{ipam}config: [{{subnet: {subnet}}}]}}\n"
        )
    };
    let ipam = format!("driver: {driver}, options: {{name: net2}}, ");
    let file = format!(
        "version: '2.4'\nservices:\n{}{}{}networks:\n{}{}",
        service("a", "net1"),
        service("b", "net2"),
        service("si", "net1, net2"),
        network("net1", "", "10.1.1.0/24"),
        network("net2", &ipam, "10.1.2.0/24"),
    );
    std::fs::write(directory.path().join("docker-compose.yml"), file).unwrap();
    let compose = |arguments: &[&str]| {
        let mut command = Command::new("docker-compose");
        command.args(["-p", &driver]).args(arguments);
        run(command.current_dir(directory.path())).ok()
    };
    compose(&["up", "-d"]);
    assert!(reaches("oct-si", &address_of("oct-a", "eth0").to_string()));
    assert!(reaches("oct-si", &address_of("oct-b", "eth0").to_string()));
    assert!(!reaches("oct-a", &address_of("oct-b", "eth0").to_string()));
    compose(&["restart", "-t", "0", "a"]);
    assert!(reaches("oct-si", &address_of("oct-a", "eth0").to_string()));
    compose(&["down", "-t", "0"]);
    world.assert_clean();
}
