//! The plugin, the API and the agent end and come back in each state of a container.

use contrail_lab::lab::Restartable;

use crate::engine::{docker, remove_containers};
use crate::world::{World, name, reaches};

/// What happens to the parts around the engine.
type Event = (&'static str, fn(&mut World));

const EVENTS: [Event; 3] = [
    ("kill -9 of the plugin", World::restart_plugin),
    ("a restart of the API", |world| {
        world.lab().stop_service(Restartable::ConfigApi);
        world.lab().start_service(Restartable::ConfigApi).unwrap();
    }),
    ("a restart of the agent", |world| {
        world.lab().stop_service(Restartable::Agent);
        world.lab().start_service(Restartable::Agent).unwrap();
    }),
];

#[test]
fn the_next_command_works_after_a_restart_of_anything() {
    let Some(mut world) = World::start("the_next_command_works_after_a_restart_of_anything") else {
        return;
    };
    let own = format!("--ipam-driver {} --ipam-opt name=net1", name());
    for ipam in ["", &own] {
        for (what, event) in EVENTS {
            world.network(&format!("-o name=net1 {ipam} --subnet 10.1.1.0/24 oct1"));
            event(&mut world);
            world.run("--network oct1 --name oct-a --ip 10.1.1.20");
            world.run("--network oct1 --name oct-b");
            event(&mut world);
            world.assert_agreed("oct-a", "oct1");
            assert!(reaches("oct-b", "10.1.1.20"), "after {what}");
            docker("network disconnect oct1 oct-a").ok();
            event(&mut world);
            docker("network connect --ip 10.1.1.20 oct1 oct-a").ok();
            event(&mut world);
            docker("stop -t 0 oct-a").ok();
            event(&mut world);
            docker("start oct-a").ok();
            world.assert_agreed("oct-a", "oct1");
            event(&mut world);
            remove_containers(&["oct-a", "oct-b"]);
            event(&mut world);
            docker("network rm oct1").ok();
            world.assert_clean();
        }
    }
}

#[test]
fn a_lost_state_directory_is_no_loss() {
    let Some(mut world) = World::start("a_lost_state_directory_is_no_loss") else {
        return;
    };
    let own = format!("--ipam-driver {} --ipam-opt name=net1", name());
    for ipam in ["", &own] {
        world.network(&format!("-o name=net1 {ipam} --subnet 10.1.1.0/24 oct1"));
        world.run("--network oct1 --name oct-a");
        world.kill_plugin();
        std::fs::remove_dir_all(world.state_dir()).unwrap();
        world.start_plugin();
        docker("network disconnect oct1 oct-a").ok();
        docker("network connect oct1 oct-a").ok();
        world.assert_agreed("oct-a", "oct1");
        docker("rm -f oct-a").ok();
        docker("network rm oct1").ok();
        world.assert_clean();
    }
}

#[test]
fn what_ends_while_the_controller_is_down_is_taken_away_later() {
    let Some(world) = World::start("what_ends_while_the_controller_is_down_is_taken_away_later")
    else {
        return;
    };
    let own = format!("--ipam-driver {} --ipam-opt name=net1", name());
    for ipam in ["", &own] {
        world.network(&format!("-o name=net1 {ipam} --subnet 10.1.1.0/24 oct1"));
        let empty = world.left();
        world.run("--network oct1 --name oct-a");
        world.lab().stop_service(Restartable::ConfigApi);
        world.lab().stop_service(Restartable::Agent);
        docker("rm -f oct-a").ok();
        world.lab().start_service(Restartable::ConfigApi).unwrap();
        world.lab().start_service(Restartable::Agent).unwrap();
        world.wait_until("the deferred removals are done", |world| {
            world.left() == empty
        });
        docker("network rm oct1").ok();
        world.assert_clean();
    }
}
