//! Many containers end while neither the API nor the agent answers.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use contrail_lab::dataplane::Mode;
use contrail_lab::http::ServiceName::Agent;
use contrail_lab::lab::Restartable;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::faults;
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::{everything, fault, lab_with, network};

const CONTAINERS: usize = 500;

/// How many calls run at the same time.
const AT_ONCE: usize = 8;

/// How long a DEL may take while nobody answers.
const PATIENCE: Duration = Duration::from_secs(2);

/// All of them in one namespace, with an interface each: what is counted is not namespaces.
fn call(command: &str, number: usize, netns: &TestNetns) -> Call {
    let path = netns.path().display().to_string();
    Call::new(
        command,
        &format!("c{number}"),
        &path,
        &network("n", "10.1.0.0/16"),
    )
    .with("CNI_IFNAME", &format!("eth{number}"))
}

/// Makes a call for each container, several at the same time; the longest time.
fn for_all(command: &str, netns: &TestNetns) -> Duration {
    let longest = Mutex::new(Duration::ZERO);
    thread::scope(|scope| {
        for first in 0..AT_ONCE {
            let longest = &longest;
            let calls = (first..CONTAINERS).step_by(AT_ONCE);
            let calls: Vec<Call> = calls.map(|number| call(command, number, netns)).collect();
            scope.spawn(move || {
                for call in calls {
                    let time = call.run().ok().time;
                    let mut longest = longest.lock().unwrap();
                    *longest = time.max(*longest);
                }
            });
        }
    });
    longest.into_inner().unwrap()
}

fn waiting(call: &Call) -> usize {
    let report = call.output(&["clean"]);
    let (_, rest) = report.split_once(" completed, ").unwrap();
    rest.split(' ').next().unwrap().parse().unwrap()
}

fn queue_length() -> usize {
    let directory = "/var/lib/contrail/cni-opencontrail/pending";
    let entries = std::fs::read_dir(directory);
    entries.map_or(0, Iterator::count)
}

#[test]
fn an_agent_that_refuses_to_remove_a_port_keeps_no_container() {
    sandbox::test(|| {
        let lab = lab_with(|options| options.data_plane = Mode::Off);
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        call("ADD", 0, &netns).run().ok();
        lab.faults()
            .add(fault(Agent, "DELETE", "", faults::status(500)));
        call("DEL", 0, &netns).run().ok();
        let report = call("", 0, &netns).output(&["clean"]);
        assert!(report.contains("did not remove port"), "{report}");
        lab.faults().clear();
        assert_eq!(waiting(&call("", 0, &netns)), 0);
        assert_eq!(everything(&lab, &[netns.netns()]), before);
    });
}

#[test]
fn five_hundred_containers_end_in_time_and_everything_is_removed_later() {
    sandbox::test(|| {
        let lab = lab_with(|options| options.data_plane = Mode::Off);
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        // Another host's container in the network.
        let foreign = TestNetns::new("foreign").unwrap();
        call("ADD", CONTAINERS, &foreign)
            .with("CONTRAIL_NODE_NAME", "node2")
            .with("CONTRAIL_STATE_DIR", "/var/lib/node2")
            .run()
            .ok();
        let with_foreign = everything(&lab, &[netns.netns()]);
        for_all("ADD", &netns);

        lab.stop_service(Restartable::ConfigApi);
        lab.stop_service(Restartable::Agent);
        let longest = for_all("DEL", &netns);
        assert!(longest < PATIENCE, "{longest:?}");
        assert_eq!(queue_length(), CONTAINERS);
        sandbox::note(&format!(
            "{CONTAINERS} DELs without API and agent: the longest took {} ms",
            longest.as_millis()
        ));

        lab.start_service(Restartable::Agent).unwrap();
        lab.start_service(Restartable::ConfigApi).unwrap();
        // Any call for somebody else works off a few, as many as it has time for; the command all.
        call("DEL", CONTAINERS + 1, &netns).run().ok();
        let length = queue_length();
        assert!((CONTAINERS - 8..CONTAINERS).contains(&length), "{length}");
        assert_eq!(waiting(&call("", 0, &netns)), 0);
        assert_eq!(everything(&lab, &[netns.netns()]), with_foreign);
        call("DEL", CONTAINERS, &foreign)
            .with("CONTRAIL_NODE_NAME", "node2")
            .with("CONTRAIL_STATE_DIR", "/var/lib/node2")
            .run()
            .ok();
        assert_eq!(everything(&lab, &[netns.netns()]), before);
    });
}
