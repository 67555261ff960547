//! Calls about a Docker network that is being deleted: they must not bring it back.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use contrail_core::state::lock::InterfaceLock;
use contrail_core::{Deadline, values::identity};
use contrail_lab::lab::{Lab, Restartable};
use contrail_lab::sandbox;
use opencontrail_tests::world::lab;

use crate::engine::{Engine, SUBNET, objects};

const PATIENCE: Duration = Duration::from_secs(30);

/// A call of the engine.
type Call = fn(&Engine) -> Result<(), String>;

/// What the engine may still send about a network.
const LATE: &[(&str, Call)] = &[
    ("CreateEndpoint", |engine| {
        let made = engine.create_endpoint("n1", "e2", "10.1.1.3/24");
        made.map(drop)
    }),
    ("CreateEndpoint of an earlier one", |engine| {
        let made = engine.create_endpoint("n1", "e1", "10.1.1.2/24");
        made.map(drop)
    }),
    ("Join", |engine| engine.join("n1", "e1", "s1").map(drop)),
    ("Join of an unknown endpoint", |engine| {
        engine.join("n1", "e3", "s1").map(drop)
    }),
];

fn wait_until(condition: impl Fn() -> bool, what: &str) {
    let end = Deadline::after(PATIENCE);
    while !condition() {
        assert!(!end.has_passed(), "{what} did not happen");
        thread::sleep(Duration::from_millis(5));
    }
}

fn is_being_removed() -> bool {
    let entry = Path::new("/var/lib/contrail/host1/docker-networks/n1.json");
    fs::read_to_string(entry).is_ok_and(|text| text.contains("Removing"))
}

fn refuses_what_comes_late(engine: &Engine) {
    for (what, call) in LATE {
        let refused = call(engine).err();
        let refused = refused.unwrap_or_else(|| panic!("{what} was carried out"));
        assert!(refused.contains("network n1 is not known"), "{refused}");
        assert!(is_being_removed(), "{what} brought the network back");
    }
}

fn deferred(lab: &Lab, engine: &Engine) {
    lab.stop_service(Restartable::ConfigApi);
    engine.delete_network("n1");
    lab.start_service(Restartable::ConfigApi).unwrap();
}

#[test]
fn a_network_whose_removal_was_deferred_does_not_come_back() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        let engine = Engine::impatient("1", "1");
        for restarts in [false, true] {
            engine.create_network("n1", "net1", SUBNET).unwrap();
            engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
            deferred(&lab, &engine);
            let after_restart = restarts.then(|| Engine::impatient("1", "1"));
            let engine = after_restart.as_ref().unwrap_or(&engine);
            refuses_what_comes_late(engine);
            engine.tidy();
            assert_eq!(objects(&lab), before);
        }
    });
}

#[test]
fn a_network_whose_removal_waits_for_an_endpoint_does_not_come_back() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
        let interface = identity::interface("host1", "e1", "");
        let run_dir = Path::new("/run/contrail");
        let lock = InterfaceLock::acquire(run_dir, interface, Deadline::after(PATIENCE)).unwrap();
        thread::scope(|scope| {
            let removal = scope.spawn(|| engine.delete_network("n1"));
            wait_until(is_being_removed, "the removal");
            let (what, call) = LATE[0];
            let refused = call(&engine).expect_err(what);
            assert!(refused.contains("network n1 is not known"), "{refused}");
            drop(lock);
            removal.join().unwrap();
        });
        engine.tidy();
        assert_eq!(objects(&lab), before);
    });
}
