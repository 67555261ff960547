//! A host whose name changes between two runs of the plugin, as that of a managed plugin does when it is made
//! anew: what was made under the earlier name is found by it.

use std::fs;
use std::path::Path;
use std::process::Command;

use contrail_core::values::identity;
use contrail_lab::sandbox;
use opencontrail_tests::plugin::program;
use opencontrail_tests::world::lab;
use serde_json::{Value, json};

use crate::engine::{Engine, SUBNET, objects};
use crate::keep::forgetful_restart;

const ENDPOINTS: &str = "/var/lib/contrail/host1/docker-endpoints";

/// What happens before and after a change of the name.
struct Case {
    what: &'static str,
    before: fn(&Engine),
    /// Done to the state while no plugin runs.
    meanwhile: fn(),
    after: fn(&Engine),
}

fn create(engine: &Engine) {
    engine.create_network("n1", "net1", SUBNET).unwrap();
    engine.create_endpoint("n1", "e1", "10.1.1.2/24").unwrap();
}

fn create_and_join(engine: &Engine) {
    create(engine);
    engine.join("n1", "e1", "s1").unwrap();
}

fn delete(engine: &Engine) {
    engine.leave("n1", "e1");
    engine.delete_endpoint("n1", "e1");
    engine.delete_network("n1");
}

/// The entry as a program wrote it that did not record the name.
fn forget_name() {
    let path = format!("{ENDPOINTS}/e1.json");
    let mut file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let entry = file["entry"].as_object_mut().unwrap();
    assert_eq!(entry.remove("node"), Some(json!("host1")));
    fs::write(&path, file.to_string()).unwrap();
}

fn pool() -> Value {
    json!({"AddressSpace": "opencontrail-local", "Pool": SUBNET, "Options": {"name": "net1"}})
}

const CASES: &[Case] = &[
    Case {
        what: "an endpoint that has joined",
        before: create_and_join,
        meanwhile: || {},
        after: delete,
    },
    Case {
        what: "an endpoint that joins under the new name",
        before: create,
        meanwhile: || {},
        after: |engine| {
            engine.join("n1", "e1", "s1").unwrap();
            delete(engine);
        },
    },
    Case {
        what: "an endpoint that the engine forgot",
        before: create_and_join,
        meanwhile: || {},
        after: |engine| engine.delete_network("n1"),
    },
    Case {
        what: "an endpoint whose entry was lost",
        before: create,
        meanwhile: || fs::remove_dir_all(ENDPOINTS).unwrap(),
        after: |engine| {
            engine.join("n1", "e1", "s1").unwrap();
            delete(engine);
        },
    },
    Case {
        what: "an endpoint of an earlier program",
        before: create_and_join,
        meanwhile: forget_name,
        after: delete,
    },
    Case {
        what: "a network whose entry was lost",
        before: create_and_join,
        meanwhile: || fs::remove_dir_all("/var/lib/contrail/host1/docker-networks").unwrap(),
        after: delete,
    },
    Case {
        what: "a pool with an address",
        before: |engine| {
            let pool = engine.call("IpamDriver.RequestPool", pool()).unwrap();
            let address = json!({"PoolID": pool["PoolID"], "Address": "", "Options": {}});
            engine.call("IpamDriver.RequestAddress", address).unwrap();
        },
        meanwhile: || {},
        after: |engine| {
            // An engine that starts asks again for what it holds.
            let capabilities = engine.call("IpamDriver.GetCapabilities", json!({}));
            capabilities.unwrap();
            let pool = engine.call("IpamDriver.RequestPool", pool()).unwrap();
            let release = json!({ "PoolID": pool["PoolID"] });
            engine.call("IpamDriver.ReleasePool", release).unwrap();
        },
    },
];

#[test]
fn nothing_is_left_of_what_was_made_under_an_earlier_name() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        for case in CASES {
            for names in [&["host2"][..], &["host2", "host3"], &["host2", "host1"]] {
                (case.before)(&Engine::on("host1"));
                (case.meanwhile)();
                for (number, name) in names.iter().enumerate() {
                    let engine = Engine::renamed(name, "host1");
                    // Something is made under each name.
                    if number + 1 < names.len() {
                        engine.create_network("n9", "net9", "10.9.0.0/24").unwrap();
                        engine.delete_network("n9");
                    } else {
                        (case.after)(&engine);
                        engine.tidy();
                    }
                }
                assert_eq!(objects(&lab), before, "{}: {names:?}", case.what);
                fs::remove_dir_all("/var/lib/contrail/host1").unwrap();
            }
        }
    });
}

#[test]
fn a_running_container_stays_connected_under_a_new_name() {
    sandbox::test(|| {
        let lab = lab();
        create_and_join(&Engine::on("host1"));
        let connected = objects(&lab);
        forgetful_restart(&lab);
        assert_ne!(objects(&lab), connected);
        Engine::renamed("host2", "host1").tidy();
        assert_eq!(objects(&lab), connected);
    });
}

#[test]
fn clean_finds_orphans_of_an_earlier_name() {
    sandbox::test(|| {
        let _lab = lab();
        create_and_join(&Engine::on("host1"));
        let interface = identity::interface("host1", "e1", "");
        let link = identity::host_ifname(interface);
        let mut delete = Command::new("ip");
        let deleted = delete.args(["link", "del", "dev", &link]).status();
        assert!(deleted.unwrap().success());
        assert!(Path::new(ENDPOINTS).join("e1.json").exists());
        let output = Command::new(program("cnm-opencontrail"))
            .arg("clean")
            .env_clear()
            .env("CONTRAIL_NODE_NAME", "host2")
            .env("CONTRAIL_STATE_DIR", "/var/lib/contrail/host1")
            .output()
            .unwrap();
        let report = String::from_utf8(output.stdout).unwrap();
        assert!(
            report.contains(&format!("endpoint e1 ({interface})")),
            "{report}"
        );
    });
}
