//! Every request of ADD and DEL, hit by every kind of fault: the caller gets one answer in time, and
//! after a DEL with the fault gone the world is as before.

use std::time::Duration;

use contrail_lab::faults::{Action, Rule, StatusAnswer};
use contrail_lab::http::ServiceName;
use contrail_lab::lab::Lab;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::{Call, Outcome};
use opencontrail_tests::wait_for;
use opencontrail_tests::world::{everything, fault, lab, network};

/// How a call may end: short timeouts keep the test short, and undoing has half as long on top.
const PATIENCE: Duration = Duration::from_secs(6);

fn status(code: u16) -> Action {
    Action::Status(StatusAnswer {
        code,
        body: "injected".into(),
        content_type: "text/html; charset=UTF-8".into(),
    })
}

fn faults() -> Vec<Action> {
    let mut faults = vec![
        Action::Refuse,
        Action::DropBefore,
        Action::DropAfter,
        Action::Truncate,
        Action::Garbage,
        Action::Forget,
        Action::Hang,
        Action::Swallow,
    ];
    faults.extend([400, 401, 404, 409, 500, 503].map(status));
    faults
}

fn call(command: &str, netns: &TestNetns) -> Call {
    let path = netns.path().display().to_string();
    Call::new(command, "c", &path, &network("n", "10.1.1.0/24"))
        .with("CONTRAIL_REQUEST_TIMEOUT", "1")
        .with("CONTRAIL_ATTACH_TIMEOUT", "2")
}

/// How many requests a call sends to a service.
fn requests(lab: &Lab, service: ServiceName, call: &Call) -> u32 {
    lab.request_log().reset();
    call.run().ok();
    let entries = lab.request_log().entries();
    entries
        .iter()
        .filter(|entry| entry.service == service)
        .count() as u32
}

/// Makes the call with one request of it faulty, or all from it on.
fn strike(lab: &Lab, rule: Rule, call: &Call) -> Outcome {
    lab.faults().add(rule.clone());
    let outcome = call.run();
    lab.faults().clear();
    assert!(outcome.time < PATIENCE, "{rule:?}: {:?}", outcome.time);
    // A failure is one error object, a success of ADD one result, of DEL nothing.
    if !outcome.success {
        assert!(outcome.json["code"].is_u64(), "{rule:?}: {}", outcome.json);
    }
    outcome
}

/// Strikes each request of `command` with each fault, once and for good.
fn matrix(command: &str, service: ServiceName) {
    let lab = lab();
    let netns = TestNetns::new("c").unwrap();
    // The network exists beforehand, as in production, and the token is cached.
    let other = TestNetns::new("other").unwrap();
    call("ADD", &other)
        .with("CNI_CONTAINERID", "other")
        .run()
        .ok();
    let before = everything(&lab, &[netns.netns()]);

    let (mut cases, mut succeeded) = (0, 0);
    if command == "DEL" {
        call("ADD", &netns).run().ok();
    }
    let count = requests(&lab, service, &call(command, &netns));
    call("DEL", &netns).run().ok();
    for action in faults() {
        for (skip, only) in (0..count).flat_map(|skip| [(skip, Some(1)), (skip, None)]) {
            let rule = Rule {
                skip,
                count: only,
                ..fault(service, "", "", action.clone())
            };
            if command == "DEL" {
                call("ADD", &netns).run().ok();
            }
            let outcome = strike(&lab, rule.clone(), &call(command, &netns));
            cases += 1;
            succeeded += u32::from(outcome.success);
            if command == "ADD" && outcome.success {
                let active = lab.status().ports.iter().filter(|port| port.active).count();
                assert_eq!(active, 2, "{rule:?}: success without a port");
            }
            call("DEL", &netns).run().ok();
            call("DEL", &netns).run().ok();
            let after = everything(&lab, &[netns.netns()]);
            assert_eq!(after, before, "{rule:?}: {}\n{}", outcome.json, outcome.log);
        }
    }
    eprintln!(
        "{command} with a faulty {service:?}: {cases} cases, {succeeded} succeeded all the same"
    );
}

/// Kills the plugin while it waits for the answer to each of its requests, before or after the request
/// took effect. Then DEL cleans, or a retry succeeds.
fn killed_at_every_request(service: ServiceName) {
    let lab = lab();
    let netns = TestNetns::new("c").unwrap();
    let other = TestNetns::new("other").unwrap();
    call("ADD", &other)
        .with("CNI_CONTAINERID", "other")
        .run()
        .ok();
    let before = everything(&lab, &[netns.netns()]);
    let add = call("ADD", &netns).with("CONTRAIL_REQUEST_TIMEOUT", "60");
    let count = requests(&lab, service, &add);
    call("DEL", &netns).run().ok();

    for action in [Action::Hang, Action::Swallow] {
        for (skip, retry) in (0..count).flat_map(|skip| [(skip, false), (skip, true)]) {
            let rule = Rule {
                skip,
                count: Some(1),
                ..fault(service, "", "", action.clone())
            };
            lab.faults().add(rule.clone());
            let running = add.start();
            wait_for("the request that hangs", || lab.faults().list()[0].hit == 1);
            running.kill();
            lab.faults().clear();
            if retry {
                // What the killed one made in the container's namespace is the runtime's to remove.
                let _ = netns.output("ip", &["link", "del", "eth0"]).unwrap();
                add.run().ok();
            }
            call("DEL", &netns).run().ok();
            assert_eq!(
                everything(&lab, &[netns.netns()]),
                before,
                "{rule:?}, retry: {retry}"
            );
        }
    }
}

#[test]
fn a_plugin_that_is_killed_at_any_request_of_the_api_leaves_nothing_that_del_does_not_find() {
    sandbox::test(|| killed_at_every_request(ServiceName::ConfigApi));
}

#[test]
fn a_plugin_that_is_killed_at_any_request_of_the_agent_leaves_nothing_that_del_does_not_find() {
    sandbox::test(|| killed_at_every_request(ServiceName::Agent));
}

#[test]
fn any_fault_of_the_api_during_add_is_undone_or_repaired_by_del() {
    sandbox::test(|| matrix("ADD", ServiceName::ConfigApi));
}

#[test]
fn any_fault_of_the_agent_during_add_is_undone_or_repaired_by_del() {
    sandbox::test(|| matrix("ADD", ServiceName::Agent));
}

#[test]
fn any_fault_of_the_api_during_del_is_repaired_by_a_later_one() {
    sandbox::test(|| matrix("DEL", ServiceName::ConfigApi));
}

#[test]
fn any_fault_of_the_agent_during_del_is_repaired_by_a_later_one() {
    sandbox::test(|| matrix("DEL", ServiceName::Agent));
}
