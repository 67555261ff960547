//! The engine itself ends and comes back, with the plugin alive, dead or late.

use contrail_lab::sandbox::DockerEngine;
use nix::sys::signal::Signal;

use crate::engine::{docker, remove_containers};
use crate::own_engine;
use crate::world::{World, address_of, name, reaches};

/// What becomes of the plugin while the engine is away.
#[derive(Clone, Copy, Debug)]
enum Plugin {
    Stays,
    /// It is killed, and is back before the engine.
    Dies,
    /// It is killed, and comes back when the engine asks for it already.
    Late,
}

fn rounds(mut engine: DockerEngine) {
    let mut world = World::start("crashes").unwrap();
    let own = format!("--ipam-driver {} --ipam-opt name=net1", name());
    for ipam in ["", &own] {
        world.network(&format!("-o name=net1 {ipam} --subnet 10.1.1.0/24 oct1"));
        for container in ["oct-a", "oct-b"] {
            world.run(&format!(
                "--restart always --stop-signal KILL --network oct1 --name {container}"
            ));
        }
        for signal in [Signal::SIGKILL, Signal::SIGTERM] {
            for plugin in [Plugin::Stays, Plugin::Dies, Plugin::Late] {
                round(&mut engine, &mut world, signal, plugin);
            }
        }
        remove_containers(&["oct-a", "oct-b"]);
        docker("network rm oct1").ok();
        world.assert_clean();
    }
}

fn round(engine: &mut DockerEngine, world: &mut World, signal: Signal, plugin: Plugin) {
    engine.end(signal).unwrap();
    match plugin {
        Plugin::Stays => engine.spawn().unwrap(),
        Plugin::Dies => {
            world.restart_plugin();
            engine.spawn().unwrap();
        }
        Plugin::Late => {
            world.kill_plugin();
            engine.spawn().unwrap();
            own_engine::wait_for_question(engine);
            world.start_plugin();
        }
    }
    engine.wait().unwrap();
    let is_back = |world: &World| {
        let ports = world.lab().status().ports;
        ports.len() == 2 && ports.iter().all(|port| port.active)
    };
    world.wait_until("both containers are back", is_back);
    for container in ["oct-a", "oct-b"] {
        world.assert_agreed(container, "oct1");
    }
    let address = address_of("oct-a", "eth0").to_string();
    assert!(reaches("oct-b", &address), "{signal} {plugin:?}");
}

#[test]
fn containers_come_back_with_the_engine() {
    let test = "crashes::containers_come_back_with_the_engine";
    own_engine::isolated(test, &[], rounds);
}

#[test]
fn containers_live_on_without_the_engine() {
    let test = "crashes::containers_live_on_without_the_engine";
    own_engine::isolated(test, &["--live-restore"], rounds);
}
