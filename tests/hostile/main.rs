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
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use opencontrail_tests::world::fault;

/// The memory that a program may use, in MiB.
const MEMORY: u32 = 150;

/// `attach_timeout`, in seconds.
const ATTACH_TIMEOUT: &str = "2";

/// What a call may take of a processor, in a program that is not optimized. On a busy machine it says more
/// than the time that passes.
const WORK: Duration = Duration::from_secs(10);

/// What a call may take: `attach_timeout`, and what a busy machine needs for [`WORK`].
const PATIENCE: Duration = Duration::from_secs(20);

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

/// How many harms each request meets: all of them would take ten minutes.
const HARMS: usize = 2;

/// A fault of one request to a service.
fn one(service: ServiceName, skip: u32, action: Action) -> Rule {
    Rule {
        skip,
        count: Some(1),
        ..fault(service, "", "", action)
    }
}

/// What is done to a call of which the requests are known: each request is answered with some harms, in turn,
/// each service does each harm for good, and each answers byte by byte for good.
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
        let mut harms = Harm::ALL.map(Action::Harm).into_iter().cycle();
        for skip in 0..requests {
            let some = harms.by_ref().take(HARMS);
            rules.extend(some.map(|harm| one(service, skip, harm)));
        }
        rules.extend(Harm::ALL.map(|harm| fault(service, "", "", Action::Harm(harm))));
        rules.push(fault(service, "", "", Action::Trickle(50)));
    }
    assert!(!rules.is_empty(), "the call asks somebody");
    rules
}

/// Makes a call with this fault; it keeps to [`PATIENCE`], and what `worked` measures to [`WORK`].
fn struck<T>(lab: &Lab, rule: &Rule, worked: impl Fn() -> Duration, call: impl FnOnce() -> T) -> T {
    lab.faults().add(rule.clone());
    let (started, before) = (Instant::now(), worked());
    let outcome = call();
    let (time, work) = (started.elapsed(), worked() - before);
    lab.faults().clear();
    assert!(
        time < PATIENCE && work < WORK,
        "{rule:?}: {time:?}, {work:?} of work"
    );
    outcome
}

/// The time of a processor that all programs have taken that this one started and that have ended.
fn work_of_ended() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    [usage.user_time(), usage.system_time()]
        .map(|time| Duration::from_micros(time.num_microseconds() as u64))
        .iter()
        .sum()
}

/// A text for people must be one of the program, without what a server put into it, and of no panic.
fn check_text(rule: &Rule, text: &str) {
    let acts = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(!text.contains(acts), "{rule:?}: {text:?}");
    for word in [
        "panicked",
        "memory allocation",
        "stack overflow",
        "a defect of",
    ] {
        assert!(!text.contains(word), "{rule:?}: {text}");
    }
}
