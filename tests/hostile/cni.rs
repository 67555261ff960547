//! ADD and DEL of the CNI plugin.

use std::collections::BTreeSet;

use contrail_lab::faults::Rule;
use contrail_lab::lab::Lab;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::{Call, Outcome};
use opencontrail_tests::world::{everything, lab, let_time_pass, network};

use crate::{ATTACH_TIMEOUT, check_text, memory, strikes, struck};

struct Scene {
    lab: Lab,
    netns: TestNetns,
    before: BTreeSet<String>,
}

impl Scene {
    fn new() -> Self {
        let (lab, netns) = (lab(), TestNetns::new("c").unwrap());
        let before = everything(&lab, &[netns.netns()]);
        Self { lab, netns, before }
    }

    fn call(&self, command: &str) -> Call {
        let path = self.netns.path().display().to_string();
        Call::new(command, "c", &path, &network("n", "10.1.1.0/24"))
            .with("CONTRAIL_ATTACH_TIMEOUT", ATTACH_TIMEOUT)
            .with("CONTRAIL_REQUEST_TIMEOUT", "1")
            .with("LOG_LEVEL", "debug")
            // No token is kept, so that each call asks Keystone.
            .with("CONTRAIL_RUN_DIR", "/run/hostile")
            .with_limit(&memory())
    }

    /// One healthy DEL, and nothing is left.
    fn finish(&self, rule: &Rule, outcome: &Outcome) {
        // What a call was cut off from may still be made, for a while.
        let_time_pass();
        self.call("DEL").run().ok();
        let after = everything(&self.lab, &[self.netns.netns()]);
        let left: Vec<_> = after.symmetric_difference(&self.before).collect();
        let (json, log) = (&outcome.json, &outcome.log);
        assert!(left.is_empty(), "{rule:?}: {left:#?}\n{json}\n{log}");
    }
}

/// Strikes each request of ADD, or of the DEL behind a healthy ADD.
fn each_request_of(command: &str) {
    let scene = Scene::new();
    let prepare = || {
        std::fs::remove_dir_all("/run/hostile").ok();
        if command == "DEL" {
            scene.call("ADD").run().ok();
        }
        // Each call asks for a token.
        std::fs::remove_dir_all("/run/hostile/tokens").ok();
    };
    prepare();
    let rules = strikes(&scene.lab, || drop(scene.call(command).run().ok()));
    scene.call("DEL").run().ok();
    let mut succeeded = 0;
    for rule in &rules {
        prepare();
        let outcome = struck(&scene.lab, rule, || scene.call(command).run());
        check_text(rule, &outcome.log);
        for part in ["msg", "details"] {
            check_text(rule, outcome.json[part].as_str().unwrap_or_default());
        }
        // A failure is one error object.
        let is_told = outcome.success || outcome.json["code"].is_u64();
        assert!(is_told, "{rule:?}: {}\n{}", outcome.json, outcome.log);
        succeeded += u32::from(outcome.success);
        scene.finish(rule, &outcome);
    }
    let cases = rules.len();
    sandbox::note(&format!(
        "{command} of the CNI plugin: {cases} cases, {succeeded} succeeded all the same"
    ));
}

#[test]
fn add_ends_in_time_and_memory_and_leaves_nothing() {
    sandbox::test(|| each_request_of("ADD"));
}

#[test]
fn del_ends_in_time_and_memory_and_leaves_nothing() {
    sandbox::test(|| each_request_of("DEL"));
}
