//! Servers that are right in what they say and odd in how they send it.

use std::time::Duration;

use contrail_lab::faults::{Action, Rule};
use contrail_lab::http::ServiceName::{self, Agent, ConfigApi};
use contrail_lab::lab::Lab;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::{everything, fault, lab, network};

const REQUEST_TIMEOUT: &str = "1";

/// How long a call may take: an attach and its undoing.
const PATIENCE: Duration = Duration::from_secs(6);

fn call(command: &str, netns: &TestNetns) -> Call {
    let path = netns.path().display().to_string();
    Call::new(command, "c", &path, &network("n", "10.1.1.0/24"))
        .with("CONTRAIL_REQUEST_TIMEOUT", REQUEST_TIMEOUT)
        .with("CONTRAIL_ATTACH_TIMEOUT", "2")
}

/// The requests of a whole life, in the order of their names.
fn life(lab: &Lab, netns: &TestNetns) -> Vec<(ServiceName, String, u16)> {
    lab.request_log().reset();
    call("ADD", netns).run().ok();
    call("DEL", netns).run().ok();
    let entries = lab.request_log().entries().into_iter();
    let mut requests: Vec<_> = entries
        .map(|entry| (entry.service, entry.method, entry.status))
        .collect();
    requests.sort();
    requests
}

#[test]
fn a_server_that_closes_after_each_answer_costs_no_request() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        // The first of all creates what stays.
        life(&lab, &netns);
        let usual = life(&lab, &netns);
        for service in [ConfigApi, Agent] {
            lab.faults().add(fault(service, "", "", Action::Close));
        }
        assert_eq!(life(&lab, &netns), usual);
    });
}

#[test]
fn a_connection_that_breaks_while_the_first_container_makes_its_network_stops_nothing() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        for action in [Action::DropBefore, Action::DropAfter, Action::Truncate] {
            for path in [
                "/virtual-machine-interfaces",
                "/virtual-machines",
                "/ref-update",
            ] {
                lab.faults().add(Rule {
                    count: Some(1),
                    ..fault(ConfigApi, "POST", path, action.clone())
                });
                call("ADD", &netns).run().ok();
                call("DEL", &netns).run().ok();
                assert_eq!(everything(&lab, &[netns.netns()]), before, "{path}");
                lab.faults().clear();
            }
        }
    });
}

#[test]
fn a_server_that_answers_byte_by_byte_keeps_nobody_longer_than_one_that_is_silent() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        // Each byte comes in time, the whole answer does not.
        let trickle = |service| fault(service, "", "", Action::Trickle(20));
        for service in [ConfigApi, Agent] {
            lab.faults().add(trickle(service));
            let outcome = call("ADD", &netns).run();
            assert!(!outcome.success, "{service}");
            assert!(outcome.time < PATIENCE, "{service}: {:?}", outcome.time);
            lab.faults().clear();
            call("DEL", &netns).run().ok();
            assert_eq!(everything(&lab, &[netns.netns()]), before, "{service}");

            call("ADD", &netns).run().ok();
            lab.faults().add(trickle(service));
            let outcome = call("DEL", &netns).run().ok();
            assert!(outcome.time < PATIENCE, "{service}: {:?}", outcome.time);
            lab.faults().clear();
            // What was put off is done by any later call.
            call("DEL", &netns).run().ok();
            assert_eq!(everything(&lab, &[netns.netns()]), before, "{service}");
        }
    });
}
