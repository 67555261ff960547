//! Servers that do harm on purpose: whatever one of them answers, a call ends in time with one result, within
//! a bounded amount of memory, and one healthy removal later nothing is left. What a server says acts on no
//! terminal.

#![allow(clippy::unwrap_used)] // all of it is a test

mod bodies;
mod chain;
mod cni;
mod docker;

use std::time::{Duration, Instant};

use contrail_lab::faults::{Action, Rule};
use contrail_lab::harm::Harm;
use contrail_lab::http::ServiceName::{self, Agent, ConfigApi, Keystone};
use contrail_lab::lab::Lab;
use opencontrail_tests::world::fault;

/// The memory that a program may use, in MiB.
const MEMORY: u32 = 150;

/// `attach_timeout`, in seconds.
const ATTACH_TIMEOUT: &str = "2";

/// What a call may take: `attach_timeout`, and what a busy machine needs to start and to end a program.
const PATIENCE: Duration = Duration::from_secs(4);

/// [`MEMORY`] as the shell's `ulimit` has it.
fn memory() -> String {
    format!("-d {}", MEMORY << 10)
}

const SERVICES: [ServiceName; 3] = [ConfigApi, Agent, Keystone];

/// The memory of a process, in MiB: what it has (`VmRSS:`), or the most that it has had (`VmHWM:`).
fn resident(pid: u32, key: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kibibytes = line.unwrap().trim().trim_end_matches(" kB");
    kibibytes.parse::<u64>().unwrap() >> 10
}

/// A fault of one request to a service.
fn one(service: ServiceName, skip: u32, action: Action) -> Rule {
    Rule {
        skip,
        count: Some(1),
        ..fault(service, "", "", action)
    }
}

/// What is done to a call of which the requests are known: each request is answered once with each harm, each
/// service does each harm for good, and each answers byte by byte for good.
fn strikes(lab: &Lab, call: impl FnOnce()) -> Vec<Rule> {
    lab.request_log().reset();
    call();
    let entries = lab.request_log().entries();
    let mut rules = Vec::new();
    for service in SERVICES {
        let requests = entries.iter().filter(|entry| entry.service == service);
        let requests = requests.count() as u32;
        if requests == 0 {
            continue;
        }
        for harm in Harm::ALL.map(Action::Harm) {
            rules.extend((0..requests).map(|skip| one(service, skip, harm.clone())));
            rules.push(fault(service, "", "", harm));
        }
        rules.push(fault(service, "", "", Action::Trickle(50)));
    }
    assert!(!rules.is_empty(), "the call asks somebody");
    rules
}

/// Makes a call with this fault; how long it took.
fn struck<T>(lab: &Lab, rule: &Rule, call: impl FnOnce() -> T) -> T {
    lab.faults().add(rule.clone());
    let started = Instant::now();
    let outcome = call();
    let time = started.elapsed();
    lab.faults().clear();
    assert!(time < PATIENCE, "{rule:?}: {time:?}");
    outcome
}

/// A text for people must be one of the program, without what a server put into it, and of no panic.
fn check_text(rule: &Rule, text: &str) {
    let acts = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(!text.contains(acts), "{rule:?}: {text:?}");
    for word in ["panicked", "memory allocation", "stack overflow", "999"] {
        assert!(!text.contains(word), "{rule:?}: {text}");
    }
}
