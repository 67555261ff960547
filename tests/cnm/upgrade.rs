//! The plugin goes on where that of release 0.1.0 has stopped.

use std::fs;

use contrail_lab::sandbox;
use opencontrail_tests::upgrade::install;
use opencontrail_tests::world::lab;
use serde_json::json;

use crate::engine::{Engine, objects};

const STATE: &str = "/var/lib/contrail/host1";

/// The pool of the fixtures' network.
const POOL: &str = "default-domain:admin:net1@10.1.1.0/24@";

/// Where nothing is set aside, everything was understood.
fn nothing_is_damaged() {
    let directories = [
        "docker-networks",
        "docker-endpoints",
        "pending",
        "uses",
        "ipam/pools",
        "ipam/addresses",
    ];
    for directory in directories {
        let path = format!("{STATE}/{directory}/damaged");
        assert!(fs::metadata(&path).is_err(), "{path}");
    }
}

fn release(engine: &Engine, address: &str) {
    let arguments = json!({"PoolID": POOL, "Address": address});
    let released = engine.call("IpamDriver.ReleaseAddress", arguments);
    released.unwrap();
}

fn release_pool(engine: &Engine) {
    let arguments = json!({"PoolID": POOL});
    let released = engine.call("IpamDriver.ReleasePool", arguments);
    released.unwrap();
}

#[test]
fn a_container_and_a_network_of_the_earlier_release_go_and_leave_nothing() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        install("docker-running", STATE);
        let engine = Engine::on("host1");
        // The network works: another container joins it.
        engine.create_endpoint("n1", "e2", "10.1.1.3/24").unwrap();
        let joined = engine.join("n1", "e2", "s2").unwrap();
        assert_eq!(joined["Gateway"], "10.1.1.1");
        for endpoint in ["e1", "e2"] {
            engine.leave("n1", endpoint);
            engine.delete_endpoint("n1", endpoint);
        }
        for address in ["10.1.1.2", "10.1.1.9", "10.1.1.1"] {
            release(&engine, address);
        }
        engine.delete_network("n1");
        release_pool(&engine);
        assert_eq!(objects(&lab), before);
        nothing_is_damaged();
    });
}

#[test]
fn an_endpoint_of_the_earlier_release_is_joined() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        install("docker-endpoint-not-joined", STATE);
        let engine = Engine::on("host1");
        let joined = engine.join("n1", "e1", "s1").unwrap();
        assert_eq!(joined["Gateway"], "10.1.1.1");
        engine.leave("n1", "e1");
        engine.delete_endpoint("n1", "e1");
        engine.delete_network("n1");
        assert_eq!(objects(&lab), before);
        nothing_is_damaged();
    });
}

#[test]
fn removals_that_the_earlier_release_deferred_are_completed() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        install("docker-removals-wait", STATE);
        assert_ne!(objects(&lab), before);
        let engine = Engine::on("host1");
        engine.tidy();
        assert_eq!(objects(&lab), before);
        nothing_is_damaged();
    });
}

#[test]
fn a_network_of_the_earlier_release_is_found_again_without_the_state() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        install("docker-endpoint-not-joined", STATE);
        let engine = Engine::without_state("host1");
        engine.join("n1", "e1", "s1").unwrap();
        engine.leave("n1", "e1");
        engine.delete_endpoint("n1", "e1");
        engine.delete_network("n1");
        assert_eq!(objects(&lab), before);
    });
}
