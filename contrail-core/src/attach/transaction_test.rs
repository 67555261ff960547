//! What a panic leaves of a transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::agent::Agent;
use crate::attach::attacher::{Attacher, Backend};
use crate::kernel::{self, Dataplane, InterfaceConfig, Link, Netns, VethSpec};
use crate::testing::{self, FakeTransport, client_of};

/// A kernel that is broken: whatever is asked of it panics.
struct Broken;

impl Dataplane for Broken {
    fn open_netns(&self, _: &Path) -> kernel::Result<Netns> {
        panic!("kernel")
    }
    fn create_veth(&self, _: &VethSpec, _: Option<&Netns>) -> kernel::Result<()> {
        panic!("kernel")
    }
    fn configure(&self, _: &Netns, _: &str, _: &InterfaceConfig) -> kernel::Result<()> {
        panic!("kernel")
    }
    fn delete_link(&self, _: &str, _: Option<&str>) -> kernel::Result<bool> {
        panic!("kernel")
    }
    fn link(&self, _: Option<&Netns>, _: &str) -> kernel::Result<Option<Link>> {
        panic!("kernel")
    }
}

fn broken_backend() -> Backend {
    let transport = FakeTransport::new(|_| panic!("transport"));
    Backend {
        client: client_of(transport.clone()),
        agent: Agent::new(
            transport,
            "127.0.0.1:1".into(),
            PathBuf::from("/nonexistent"),
        ),
        dataplane: Arc::new(Broken),
    }
}

fn steps(interface: Uuid) -> Vec<Step> {
    vec![
        Step::AgentPort(interface),
        Step::Link(interface),
        Step::InstanceIp(interface),
        Step::Interface(interface),
        Step::Machine(interface),
    ]
}

/// Runs `work` in a transaction in which every step of the undo panics.
fn in_broken_transaction<T>(
    work: impl FnOnce() -> Result<T>,
) -> (std::thread::Result<Result<T>>, usize) {
    let dir = tempfile::tempdir().unwrap();
    let mut host = testing::host();
    host.state_dir = dir.path().join("state");
    host.run_dir = dir.path().join("run");
    let (interface, backend) = (Uuid::from_u128(1 << 100), broken_backend());
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let ends = Deadline::with_undo(Duration::from_secs(20));
        let transaction = Transaction::new(&host, &backend, vec![interface], ends);
        for step in steps(interface) {
            transaction.note(step);
        }
        transaction.run(work)
    }));
    let attacher = Attacher::new(backend, host);
    (outcome, attacher.pending_removals().unwrap().len())
}

#[test]
fn a_panic_in_the_undo_of_a_panic_does_not_end_the_process() {
    let (outcome, queued) = in_broken_transaction::<()>(|| panic!("work"));
    assert!(outcome.is_err());
    assert_eq!(queued, 1, "what is left is tried again later");
}

#[test]
fn a_panic_in_the_undo_of_a_failure_is_told_with_it() {
    let failed = || Err(error::Error::missing("a", "b").into());
    let (outcome, queued) = in_broken_transaction::<()>(failed);
    let Ok(Err(Error::Undo { cause, left })) = outcome else {
        panic!("an error of the undo is expected");
    };
    assert!(matches!(
        *cause,
        Error::Client(error::Error::Missing { .. })
    ));
    let is_panic = |error: &Error| {
        matches!(error, Error::Client(error::Error::Panicked { message, .. })
            if ["transport", "kernel"].contains(&message.as_str()))
    };
    assert!(left.len() >= 2 && left.iter().all(is_panic), "{left:?}");
    assert_eq!(queued, 1);
}
