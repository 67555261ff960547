//! A cycle of calls of the Docker plugin: the daemon survives all of it.

use std::process::Stdio;

use contrail_lab::sandbox;
use opencontrail_tests::daemon::Program;
use opencontrail_tests::plugin::{limited, program};
use opencontrail_tests::wait_for;
use opencontrail_tests::world::{everything, lab};
use serde_json::{Value, json};

use crate::{ATTACH_TIMEOUT, MEMORY, check_text, memory, resident, strikes, struck};

/// The calls from a network to its end.
fn cycle(endpoint: usize) -> Vec<(&'static str, Value)> {
    let endpoint = format!("e{endpoint}");
    let network = json!({
        "NetworkID": "n1",
        "Options": {"com.docker.network.generic": {"name": "net1"}},
        "IPv4Data": [{
            "AddressSpace": "LocalDefault", "Pool": "10.1.1.0/24", "Gateway": "10.1.1.1/24",
        }],
        "IPv6Data": [],
    });
    let ids = json!({"NetworkID": "n1", "EndpointID": endpoint});
    let mut create = ids.clone();
    create["Interface"] = json!({"Address": "10.1.1.2/24", "AddressIPv6": "", "MacAddress": ""});
    create["Options"] = json!({});
    let mut join = ids.clone();
    join["SandboxKey"] = json!("/var/run/docker/netns/1");
    vec![
        ("CreateNetwork", network),
        ("CreateEndpoint", create),
        ("Join", join),
        ("Leave", ids.clone()),
        ("DeleteEndpoint", ids),
        ("DeleteNetwork", json!({"NetworkID": "n1"})),
    ]
}

fn send(daemon: &Program, (method, body): &(&str, Value)) -> (u16, String) {
    let (status, answer) = daemon.post(&format!("/NetworkDriver.{method}"), body);
    (
        status,
        answer["Err"].as_str().unwrap_or_default().to_owned(),
    )
}

#[test]
fn a_cycle_ends_in_time_and_memory_and_leaves_nothing() {
    sandbox::test(|| {
        let lab = lab();
        let mut command = limited(&program("cnm-opencontrail"), &memory());
        command.env_clear().stderr(Stdio::null()).envs([
            ("CONTRAIL_ATTACH_TIMEOUT", ATTACH_TIMEOUT),
            ("CONTRAIL_REQUEST_TIMEOUT", "1"),
            ("CONTRAIL_NODE_NAME", "node1"),
        ]);
        let daemon = Program::start_command(command);
        let all = cycle(0);
        all.iter().for_each(|call| drop(send(&daemon, call)));
        let before = everything(&lab, &[]);
        let mut cases = 0;
        for place in 0..all.len() {
            let until = || {
                all[..place]
                    .iter()
                    .for_each(|call| drop(send(&daemon, call)))
            };
            until();
            let rules = strikes(&lab, || drop(send(&daemon, &all[place])));
            // What the engine does when a call has failed or not: it takes back what it knows of.
            let end = || all[3..].iter().for_each(|call| drop(send(&daemon, call)));
            end();
            for rule in &rules {
                until();
                let (status, text) = struck(&lab, rule, || send(&daemon, &all[place]));
                assert_ne!(status, 500, "{}: {rule:?}: {text}", all[place].0);
                check_text(rule, &text);
                cases += 1;
                end();
            }
        }
        // What was deferred is removed by the daemon itself.
        wait_for("nothing left", || {
            let after = everything(&lab, &[]);
            after.symmetric_difference(&before).count() == 0
        });
        let peak = resident(daemon.pid(), "VmHWM:");
        sandbox::note(&format!("Docker plugin: {cases} cases, peak {peak} MiB"));
        assert!(peak <= u64::from(MEMORY), "{peak} MiB");
    });
}
