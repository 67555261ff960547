//! Every request of ADD and DEL, hit by every kind of fault: the caller gets one answer in time, and
//! after a DEL with the fault gone the world is as before.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use contrail_lab::faults::{Action, Rule};
use contrail_lab::http::ServiceName::{self, Agent, ConfigApi};
use contrail_lab::lab::Lab;
use contrail_lab::sandbox::{self, TestNetns};
use nix::sys::signal::Signal;
use opencontrail_tests::faults;
use opencontrail_tests::plugin::{Call, Outcome};
use opencontrail_tests::strikes;
use opencontrail_tests::wait_for;
use opencontrail_tests::world::{everything, fault, lab, let_time_pass, network};
use serde_json::json;

/// How long a call may take: short timeouts keep the test short, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(6);

/// The faults of a service. An agent is known to say that it has done what it has not; nobody can finish
/// what nobody knows of, so that is only for runtimes that repeat their call.
fn faults_of(service: ServiceName, finish: Finish) -> Vec<Action> {
    let mut faults = faults::all();
    if (service, finish) == (Agent, Repeated) {
        faults.push(Action::Forget);
    }
    faults
}

fn call(command: &str, netns: &TestNetns, container: &str, kind: Network) -> Call {
    let path = netns.path().display().to_string();
    let mut configuration = network("n", "10.1.1.0/24");
    if kind == Serving {
        configuration["service"] = json!({"instance": "fw", "interface": "left"});
    }
    Call::new(command, container, &path, &configuration)
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

/// Who else is in the network while the plugin is struck.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Network {
    /// Another container: the network is there before and stays.
    InUse,
    /// Nobody: ADD makes the network, DEL removes it.
    Own,
    /// Nobody, and the container is a service instance in it.
    Serving,
}

/// Who finishes what was struck.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Finish {
    /// The runtime, which repeats DEL.
    Repeated,
    /// A call for another container: what was put off is on disk.
    Others,
}

/// How long a service is faulty.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lasting {
    /// For one request.
    Once,
    /// From that request on, until the call is over.
    FromThenOn,
}

use Finish::{Others, Repeated};
use Lasting::{FromThenOn, Once};
use Network::{InUse, Own, Serving};

/// A lab with a container's namespace in it.
struct Scene {
    lab: Lab,
    netns: TestNetns,
    /// The other container's, which lives as long as this value.
    _other: TestNetns,
    network: Network,
    /// How many containers there were: one that comes back under the id with which it left its service
    /// waits, see the tests of services.
    lives: Cell<u32>,
    before: BTreeSet<String>,
}

impl Scene {
    fn new(network: Network) -> Self {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let other = TestNetns::new("other").unwrap();
        let call = |command| call(command, &other, "other", InUse);
        // The token is cached in any case.
        call("ADD").run().ok();
        if network != InUse {
            call("DEL").run().ok();
        }
        let before = everything(&lab, &[netns.netns()]);
        Self {
            lab,
            netns,
            _other: other,
            network,
            lives: Cell::new(0),
            before,
        }
    }

    fn call(&self, command: &str) -> Call {
        let container = format!("c{}", self.lives.get());
        call(command, &self.netns, &container, self.network)
    }

    /// Ends the life of a container.
    fn finish(&self, finish: Finish) {
        let call = self.call("DEL");
        match finish {
            Repeated => {
                call.run().ok();
                // An attach that was cut off may still be given its network, for a while.
                let_time_pass();
                call.run().ok();
            }
            Others => {
                let_time_pass();
                call.with("CNI_CONTAINERID", "stranger").run().ok();
            }
        }
        self.lives.set(self.lives.get() + 1);
    }

    /// What is different from the time before anything was done.
    fn difference(&self) -> Vec<String> {
        let after = everything(&self.lab, &[self.netns.netns()]);
        let changed = after.symmetric_difference(&self.before);
        changed.cloned().collect()
    }

    fn active_ports(&self) -> usize {
        let ports = self.lab.status().ports;
        ports.iter().filter(|port| port.active).count()
    }
}

/// Strikes each request of `command` with each fault.
fn matrix(
    (command, lasting): (&str, Lasting),
    service: ServiceName,
    network: Network,
    finish: Finish,
) {
    let scene = Scene::new(network);
    let (mut cases, mut succeeded, mut taken_back, mut left_over) = (0, 0, 0, 0);
    if command == "DEL" {
        scene.call("ADD").run().ok();
    }
    let count = requests(&scene.lab, service, &scene.call(command));
    scene.finish(Repeated);
    for action in faults_of(service, finish) {
        for skip in 0..count {
            let rule = Rule {
                skip,
                count: (lasting == Once).then_some(1),
                ..fault(service, "", "", action.clone())
            };
            if command == "DEL" {
                scene.call("ADD").run().ok();
            }
            let outcome = strike(&scene.lab, rule.clone(), &scene.call(command));
            cases += 1;
            succeeded += u32::from(outcome.success);
            if command == "ADD" && outcome.success {
                let expected = 1 + usize::from(scene.network == InUse);
                let active = scene.active_ports();
                assert_eq!(active, expected, "{rule:?}: success without a port");
            }
            // A DEL that succeeded has nothing to leave but what it has put off.
            if command == "DEL" || !outcome.success {
                match scene.difference().is_empty() {
                    true => taken_back += u32::from(!outcome.success),
                    false => left_over += 1,
                }
            }
            scene.finish(finish);
            let left = scene.difference();
            assert!(
                left.is_empty(),
                "{rule:?}: {left:#?}\n{}\n{}",
                outcome.json,
                outcome.log
            );
        }
    }
    sandbox::note(&format!(
        "CNI plugin, {command}, network {network:?}, {service:?} faulty {lasting:?}: {cases} cases, {succeeded} \
         succeeded all the same, {taken_back} failed and left nothing, {left_over} were finished by {}",
        match finish {
            Repeated => "DEL",
            Others => "calls for other containers",
        }
    ));
}

/// Kills the plugin while it waits for the answer to each of its requests, before or after the request
/// took effect. Then DEL cleans, or a retry succeeds.
fn killed_at_every_request(service: ServiceName, network: Network) {
    let scene = Scene::new(network);
    let add = || {
        let call = scene.call("ADD").with("CONTRAIL_REQUEST_TIMEOUT", "60");
        call.with("CONTRAIL_ATTACH_TIMEOUT", "60")
    };
    let count = requests(&scene.lab, service, &add());
    scene.finish(Repeated);

    for action in [Action::Hang, Action::Swallow] {
        for (skip, retry) in (0..count).flat_map(|skip| [(skip, false), (skip, true)]) {
            let rule = Rule {
                skip,
                count: Some(1),
                ..fault(service, "", "", action.clone())
            };
            scene.lab.faults().add(rule.clone());
            let running = add().start();
            // A kill in the middle of writing a file is another case: `clean` sweeps what that leaves.
            wait_for("the request that hangs", || {
                scene.lab.faults().list()[0].hit == 1 && running.is_waiting()
            });
            running.kill();
            scene.lab.faults().clear();
            if retry {
                // What the killed one made in the container's namespace is the runtime's to remove.
                let _ = scene.netns.output("ip", &["link", "del", "eth0"]).unwrap();
                add().run().ok();
            }
            scene.finish(Repeated);
            let left = scene.difference();
            assert!(left.is_empty(), "{rule:?}, retry: {retry}: {left:#?}");
        }
    }
}

/// Interrupts ADD while it waits for the answer to each of its requests. It takes back what it has done and
/// says so; the namespace is as before without any DEL.
fn interrupted_at_every_request(service: ServiceName, network: Network) {
    let scene = Scene::new(network);
    let count = requests(&scene.lab, service, &scene.call("ADD"));
    scene.finish(Repeated);
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        for skip in 0..count {
            let rule = Rule {
                skip,
                count: Some(1),
                ..fault(service, "", "", Action::Delay(300))
            };
            scene.lab.faults().add(rule.clone());
            let running = scene.call("ADD").start();
            wait_for("the request that waits", || {
                scene.lab.faults().list()[0].hit == 1
            });
            running.interrupt(signal);
            let outcome = running.wait();
            scene.lab.faults().clear();
            assert!(!outcome.success, "{rule:?}");
            assert_eq!(outcome.json["code"], 11, "{}", outcome.json);
            let left = scene.difference();
            assert!(left.is_empty(), "{signal}, {rule:?}: {left:#?}");
        }
    }
}

strikes! {
    kill_at_the_api_in_a_network_in_use: killed_at_every_request(ConfigApi, InUse);
    kill_at_the_api_with_a_network_of_its_own: killed_at_every_request(ConfigApi, Own);
    kill_at_the_api_of_a_service_instance: killed_at_every_request(ConfigApi, Serving);
    interrupted_at_the_api: interrupted_at_every_request(ConfigApi, Own);
    interrupted_at_the_agent: interrupted_at_every_request(Agent, InUse);
    kill_at_the_agent: killed_at_every_request(Agent, Own);
    add_with_a_faulty_api_in_a_network_in_use: matrix(("ADD", Once), ConfigApi, InUse, Repeated);
    add_with_a_faulty_api_in_a_network_in_use_that_stays_so: matrix(("ADD", FromThenOn), ConfigApi, InUse, Repeated);
    add_with_a_faulty_api_that_makes_its_network: matrix(("ADD", Once), ConfigApi, Own, Repeated);
    add_with_a_faulty_api_that_makes_its_network_that_stays_so: matrix(("ADD", FromThenOn), ConfigApi, Own, Repeated);
    add_of_a_service_instance_with_a_faulty_api: matrix(("ADD", Once), ConfigApi, Serving, Repeated);
    add_of_a_service_instance_with_a_faulty_api_that_stays_so: matrix(("ADD", FromThenOn), ConfigApi, Serving, Repeated);
    add_with_a_faulty_agent: matrix(("ADD", Once), Agent, InUse, Repeated);
    add_with_a_faulty_agent_that_stays_so: matrix(("ADD", FromThenOn), Agent, InUse, Repeated);
    del_with_a_faulty_api_in_a_network_in_use: matrix(("DEL", Once), ConfigApi, InUse, Repeated);
    del_with_a_faulty_api_in_a_network_in_use_that_stays_so: matrix(("DEL", FromThenOn), ConfigApi, InUse, Repeated);
    del_with_a_faulty_api_that_removes_its_network: matrix(("DEL", Once), ConfigApi, Own, Repeated);
    del_with_a_faulty_api_that_removes_its_network_that_stays_so: matrix(("DEL", FromThenOn), ConfigApi, Own, Repeated);
    del_with_a_faulty_api_that_others_finish: matrix(("DEL", Once), ConfigApi, Own, Others);
    del_with_a_faulty_api_that_others_finish_that_stays_so: matrix(("DEL", FromThenOn), ConfigApi, Own, Others);
    del_of_a_service_instance_with_a_faulty_api: matrix(("DEL", Once), ConfigApi, Serving, Others);
    del_of_a_service_instance_with_a_faulty_api_that_stays_so: matrix(("DEL", FromThenOn), ConfigApi, Serving, Others);
    del_with_a_faulty_agent: matrix(("DEL", Once), Agent, InUse, Repeated);
    del_with_a_faulty_agent_that_stays_so: matrix(("DEL", FromThenOn), Agent, InUse, Repeated);
    del_with_a_faulty_agent_that_others_finish: matrix(("DEL", Once), Agent, Own, Others);
    del_with_a_faulty_agent_that_others_finish_that_stays_so: matrix(("DEL", FromThenOn), Agent, Own, Others);
}
