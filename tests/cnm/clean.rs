//! `cnm-opencontrail clean`: endpoints whose container is gone and that no engine will delete any more.

use std::collections::BTreeSet;
use std::process::Command;

use contrail_core::values::identity;
use contrail_lab::lab::{Lab, Restartable};
use contrail_lab::sandbox;
use opencontrail_tests::plugin::program;
use opencontrail_tests::world::lab;

use crate::engine::{Engine, SUBNET, objects};

/// The report of the command on `host1`.
fn clean(arguments: &[&str]) -> String {
    let output = Command::new(program("cnm-opencontrail"))
        .arg("clean")
        .args(arguments)
        .env_clear()
        .env("CONTRAIL_NODE_NAME", "host1")
        .env("CONTRAIL_STATE_DIR", "/var/lib/contrail/host1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn connect(engine: &Engine, endpoint: &str, address: &str) {
    engine.create_endpoint("n1", endpoint, address).unwrap();
    engine.join("n1", endpoint, endpoint).unwrap();
}

/// What is there but the files that were lost.
fn without_notes(lab: &Lab) -> BTreeSet<String> {
    let mut left = objects(lab);
    left.retain(|thing| !thing.starts_with("file /var/lib/contrail/host1/docker-"));
    left
}

/// The container dies with its host's kernel.
fn lose_link(endpoint: &str) {
    let link = identity::host_ifname(identity::interface("host1", endpoint, ""));
    let mut delete = Command::new("ip");
    let deleted = delete.args(["link", "del", "dev", &link]).status();
    assert!(deleted.unwrap().success());
}

#[test]
fn an_endpoint_that_no_engine_knows_is_noted_and_later_removed() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        connect(&engine, "living", "10.1.1.2/24");
        let with_one = without_notes(&lab);
        connect(&engine, "gone", "10.1.1.3/24");
        lose_link("gone");
        // Both the engine and the plugin have lost what they knew.
        let engine = Engine::without_state("host1");
        let report = clean(&["--remove"]);
        assert!(report.contains("1 orphan, 0 of them removed"), "{report}");
        assert!(report.contains("  endpoint gone ("), "{report}");
        let report = clean(&[]);
        assert!(
            report.contains("kept; use --remove to remove it"),
            "{report}"
        );
        let report = clean(&["--remove", "--grace", "0"]);
        assert!(report.contains("1 orphan, 1 of them removed"), "{report}");
        assert_eq!(without_notes(&lab), with_one);

        engine.leave("n1", "living");
        engine.delete_endpoint("n1", "living");
        // The plugin knows this one, the engine does not.
        connect(&engine, "gone", "10.1.1.3/24");
        lose_link("gone");
        clean(&[]);
        let report = clean(&["--remove", "--grace", "0"]);
        assert!(report.contains("1 orphan, 1 of them removed"), "{report}");
        let joined = engine.join("n1", "gone", "gone").unwrap_err();
        assert!(joined.contains("start the container again"), "{joined}");
        engine.delete_endpoint("n1", "gone");
        engine.delete_network("n1");
        assert_eq!(objects(&lab), before);
    });
}

#[test]
fn removals_that_wait_are_shown_and_worked_off() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::impatient("1", "1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        let before = objects(&lab);
        connect(&engine, "e1", "10.1.1.2/24");
        lab.stop_service(Restartable::ConfigApi);
        engine.leave("n1", "e1");
        engine.delete_endpoint("n1", "e1");
        engine.delete_network("n1");
        lab.start_service(Restartable::ConfigApi).unwrap();
        let report = clean(&[]);
        assert!(
            report.contains("1 deferred removal completed, 0 pending"),
            "{report}"
        );
        // What waits beside the endpoints is the plugin's own to do.
        let network = "virtual network default-domain:admin:net1: the plugin is still";
        assert!(report.contains(network), "{report}");
        assert_eq!(objects(&lab), before);
        engine.tidy();
        assert!(!clean(&[]).contains("the plugin is still"), "{report}");
    });
}
