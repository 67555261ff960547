//! Calls of two hosts' runtimes in any order and at the same time, with services and plugins that are
//! restarted meanwhile: when all is quiet again, every container is attached or not, and nothing else.
//!
//! The number of a case is its seed. `OPENCONTRAIL_CASES` sets how many there are, `OPENCONTRAIL_FIRST_CASE`
//! which is the first.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use contrail_lab::dataplane::Mode;
use contrail_lab::lab::{Lab, Restartable};
use contrail_lab::sandbox;
use opencontrail_tests::random::Random;
use opencontrail_tests::world::{everything, lab_with};

use crate::hosts::{CONTAINERS, Host, NETWORKS, contradictions};

/// How many calls are at work at the same time.
const AT_ONCE: usize = 4;

/// How many calls a case has.
const CALLS: usize = 16;

#[derive(Clone, Copy, Debug)]
enum Call {
    Add(usize),
    Del(usize),
    Check(usize),
    /// A network, and a bit for each container that stays.
    Collect(usize, u32),
    Run(usize),
    Remove(usize),
    RestartDocker,
    Restart(Restartable),
}

fn number(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(default, |text| text.parse().unwrap())
}

/// The calls of a case, each with the number of its host.
fn calls(case: u64) -> Vec<(usize, Call)> {
    let mut random = Random(case);
    let mut below = |limit| random.below(limit);
    let mut call = || {
        let container = below(CONTAINERS);
        match below(20) {
            0..=4 => Call::Add(container),
            5..=7 => Call::Del(container),
            8..=9 => Call::Check(container),
            10 => Call::Collect(below(NETWORKS), below(1 << CONTAINERS) as u32),
            11..=14 => Call::Run(container),
            15..=16 => Call::Remove(container),
            17 => Call::RestartDocker,
            18 => Call::Restart(Restartable::Agent),
            _ => Call::Restart(Restartable::ConfigApi),
        }
    };
    let all: Vec<Call> = (0..CALLS).map(|_| call()).collect();
    all.into_iter().map(|call| (below(2), call)).collect()
}

/// Makes a call. It may fail while a service restarts.
fn make(lab: &Lab, host: &Host, call: Call) -> bool {
    match call {
        Call::Add(container) => host.add(container).is_ok(),
        Call::Del(container) => host.del(container).is_ok(),
        Call::Check(container) => host.check(container).is_ok(),
        Call::Collect(network, keep) => {
            let keep = (0..CONTAINERS).filter(|number| keep & (1 << number) != 0);
            host.collect(network, &keep.collect()).is_ok()
        }
        Call::Run(container) => host.run(container).is_ok(),
        Call::Remove(container) => {
            host.remove(container);
            true
        }
        Call::RestartDocker => {
            host.restart_docker();
            true
        }
        Call::Restart(service) => {
            // A service that is restarted twice at once is no matter of the plugins.
            static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
            let _turn = ONE_AT_A_TIME.lock().unwrap();
            lab.stop_service(service);
            lab.start_service(service).unwrap();
            true
        }
    }
}

#[test]
fn every_container_is_attached_or_not_whatever_happened_at_the_same_time() {
    sandbox::test(|| {
        let first = number("OPENCONTRAIL_FIRST_CASE", 0);
        let cases = number("OPENCONTRAIL_CASES", 1000);
        let lab = lab_with(|options| options.data_plane = Mode::Off);
        let hosts = [Host::new("host1"), Host::new("host2")];
        let before = everything(&lab, &[]);
        hosts.iter().for_each(Host::create_networks);
        let worked = AtomicUsize::new(0);
        for case in first..first + cases {
            let calls = calls(case);
            let next = AtomicUsize::new(0);
            thread::scope(|scope| {
                for _ in 0..AT_ONCE {
                    scope.spawn(|| {
                        while let Some((host, call)) =
                            calls.get(next.fetch_add(1, Ordering::Relaxed))
                        {
                            let done = make(&lab, &hosts[*host], *call);
                            worked.fetch_add(usize::from(done), Ordering::Relaxed);
                        }
                    });
                }
            });
            hosts.iter().for_each(Host::settle);
            let found = contradictions(&lab);
            assert!(found.is_empty(), "case {case}: {found:#?}\n{calls:?}");
        }
        for host in &hosts {
            for container in 0..CONTAINERS {
                host.del(container).unwrap();
                host.remove(container);
            }
            host.delete_networks();
            host.settle();
        }
        let after = everything(&lab, &[]);
        let left: BTreeSet<_> = after.symmetric_difference(&before).collect();
        assert!(left.is_empty(), "{left:#?}");
        let calls = cases as usize * CALLS;
        let worked = worked.into_inner();
        assert!(worked > calls / 4, "{worked} of {calls}: nothing was tried");
        sandbox::note(&format!(
            "{cases} interleavings, {worked} of {calls} calls worked"
        ));
    });
}
