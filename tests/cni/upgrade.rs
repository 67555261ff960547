//! The programs go on where those of release 0.1.0 have stopped.

use std::fs;

use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::Call;
use opencontrail_tests::upgrade::install;
use opencontrail_tests::world::{everything, lab, network};
use serde_json::{Value, json};

const STATE: &str = "/var/lib/contrail/cni-opencontrail";

fn call(command: &str, container: &str, netns: &TestNetns, document: &Value) -> Call {
    let path = netns.path().display().to_string();
    Call::new(command, container, &path, document)
}

fn document() -> Value {
    network("n", "10.1.1.0/24")
}

fn clean(arguments: &[&str]) -> String {
    let arguments = [&["clean"], arguments].concat();
    Call::new("", "", "", &document()).output(&arguments)
}

/// Where nothing is set aside, everything was understood.
fn nothing_is_damaged() {
    for directory in ["", "uses/", "pending/", "orphans/"] {
        let path = format!("{STATE}/{directory}damaged");
        assert!(fs::metadata(&path).is_err(), "{path}");
    }
}

#[test]
fn containers_of_the_earlier_release_are_detached_and_the_last_takes_the_network_along() {
    sandbox::test(|| {
        let lab = lab();
        let before = everything(&lab, &[]);
        install("cni-attached", STATE);
        let netns = TestNetns::new("a").unwrap();
        call("DEL", "a", &netns, &document()).run().ok();
        let left = everything(&lab, &[]);
        assert!(
            left.iter()
                .any(|line| line == "virtual-network default-domain:admin:n")
        );
        call("DEL", "b", &netns, &document()).run().ok();
        assert_eq!(everything(&lab, &[]), before);
        nothing_is_damaged();
    });
}

#[test]
fn a_new_container_joins_the_network_of_the_earlier_release() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[]);
        install("cni-attached", STATE);
        let added = call("ADD", "c", &netns, &document()).run().ok();
        assert_eq!(added.addresses(), ["10.1.1.250/24"]);
        for container in ["a", "c", "b"] {
            call("DEL", container, &netns, &document()).run().ok();
        }
        assert_eq!(everything(&lab, &[]), before);
        let names = fs::read_to_string(format!("{STATE}/nodes.json")).unwrap();
        let names: Value = serde_json::from_str(&names).unwrap();
        assert_eq!(names["entry"], json!(["node1"]));
        nothing_is_damaged();
    });
}

#[test]
fn an_add_that_was_killed_is_undone() {
    sandbox::test(|| {
        let lab = lab();
        let before = everything(&lab, &[]);
        install("cni-add-killed", STATE);
        assert_ne!(everything(&lab, &[]), before);
        let netns = TestNetns::new("a").unwrap();
        call("DEL", "a", &netns, &document()).run().ok();
        assert_eq!(everything(&lab, &[]), before);
        nothing_is_damaged();
    });
}

#[test]
fn a_removal_that_waits_is_shown_and_completed() {
    sandbox::test(|| {
        let lab = lab();
        let before = everything(&lab, &[]);
        install("cni-removal-waits", STATE);
        let report = clean(&[]);
        assert!(
            report.contains("1 deferred removal completed, 0 pending"),
            "{report}"
        );
        assert_eq!(everything(&lab, &[]), before);
        nothing_is_damaged();
    });
}

#[test]
fn an_orphan_that_was_seen_has_its_time_of_grace_behind_it() {
    sandbox::test(|| {
        let lab = lab();
        let before = everything(&lab, &[]);
        install("cni-orphan", STATE);
        // It was seen long ago, so it goes at the first look of this release.
        let report = clean(&["--remove", "--grace", "1"]);
        assert!(report.contains("1 orphan, 1 of them removed"), "{report}");
        assert_eq!(everything(&lab, &[]), before);
        nothing_is_damaged();
    });
}

#[test]
fn a_member_of_a_service_leaves_it() {
    sandbox::test(|| {
        let lab = lab();
        let before = everything(&lab, &[]);
        install("cni-service", STATE);
        let netns = TestNetns::new("a").unwrap();
        let network = |name: &str, subnet: &str, leg: &str| {
            json!({
                "name": name,
                "ipam": {"ranges": [[{"subnet": subnet}]]},
                "service": {"instance": "fw", "interface": leg, "forwarding": true},
            })
        };
        let networks = [
            network("l", "10.1.1.0/24", "left"),
            network("r", "10.1.2.0/24", "right"),
        ];
        let document = json!({ "networks": networks });
        call("DEL", "a", &netns, &document).run().ok();
        assert_eq!(everything(&lab, &[]), before);
        nothing_is_damaged();
    });
}
