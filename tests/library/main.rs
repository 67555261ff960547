//! The programs of examples/library, against the lab in a sandbox.

#![allow(clippy::unwrap_used)] // all of it is a test

use std::process::Command;

use contrail_core::api::{Client, ListQuery, NetworkPolicy};
use contrail_core::attach::Attacher;
use contrail_core::service_chain::ServiceChains;
use contrail_lab::lab::CLIENT_ENVIRONMENT;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::pages::is_as;
use opencontrail_tests::plugin::program;
use opencontrail_tests::world::{client, everything, lab};

/// How a program ended, and what it printed.
struct Outcome {
    success: bool,
    output: String,
    errors: String,
}

fn run(name: &str) -> Outcome {
    let output = Command::new(program(name))
        .env_clear()
        .envs(CLIENT_ENVIRONMENT)
        .env("CONTRAIL_STATE_DIR", "/var/lib/contrail/library-examples")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome {
        success: output.status.success(),
        output: text(output.stdout),
        errors: text(output.stderr),
    }
}

/// Runs a program that must print exactly these lines; `…` stands for anything.
#[track_caller]
fn prints(name: &str, expected: &[&str]) {
    let Outcome {
        success,
        output,
        errors,
    } = run(name);
    assert!(success, "{name}: {output}{errors}");
    let lines: Vec<&str> = output.lines().collect();
    let is_expected = |(line, expected): (&&str, &&str)| is_as(line, expected);
    let fits = lines.len() == expected.len() && lines.iter().zip(expected).all(is_expected);
    assert!(fits, "{name}: {output}{errors}");
}

const NO_NETWORK: &str = "project default-domain:admin: 0 networks";

#[test]
fn the_five_programs_do_what_they_print_and_leave_nothing() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("example-fw").unwrap();
        let state = || {
            let policies: Vec<NetworkPolicy> = client().list(&ListQuery::all()).unwrap();
            (everything(&lab, &[netns.netns()]), policies)
        };
        let before = state();

        prints("list-networks", &[NO_NETWORK]);
        // Each of the programs may be repeated; attaching again is refused, since the interfaces exist.
        for _ in 0..2 {
            prints(
                "create-port",
                &[
                    "network default-domain:admin:example-left …",
                    "port default-domain:admin:example-port …",
                    "address 10.1.1.252",
                ],
            );
        }
        prints(
            "attach-namespace",
            &[
                "eth0 10.1.1.251/24 mac 02:… mtu …",
                "eth1 10.1.2.252/24 mac 02:… mtu …",
            ],
        );
        let again = run("attach-namespace");
        assert!(!again.success && again.output.is_empty());
        let refused = "error: interface eth0 already exists in /run/netns/example-fw: …\n";
        assert!(is_as(&again.errors, refused), "{}", again.errors);
        prints(
            "list-networks",
            &[
                "project default-domain:admin: 2 networks",
                "default-domain:admin:example-left 10.1.1.0/24",
                "default-domain:admin:example-right 10.1.2.0/24",
            ],
        );
        let built = [
            "leg default-domain:admin:example-fw left (default-domain:admin:example-left): built",
            "leg default-domain:admin:example-fw right (default-domain:admin:example-right): built",
            "chain example: built",
        ];
        let first = run("apply-chain");
        assert!(first.success, "{}", first.errors);
        let created = "create network-policy default-domain:admin:example";
        assert!(
            first.output.lines().any(|line| line == created),
            "{}",
            first.output
        );
        assert!(
            first.output.ends_with(&format!("{}\n", built.join("\n"))),
            "{}",
            first.output
        );
        prints("apply-chain", &built);

        let nothing_waits = "0 deferred removals completed, 0 pending";
        let no_orphans = "project default-domain:admin: 0 orphans, 0 of them removed";
        let deferred = "namespace: 0 removals deferred";
        prints(
            "clean-up",
            &["chain: … changes", deferred, nothing_waits, no_orphans],
        );
        assert_eq!(state(), before);
        prints(
            "clean-up",
            &["chain: 0 changes", deferred, nothing_waits, no_orphans],
        );
        prints("list-networks", &[NO_NETWORK]);
    });
}

#[test]
fn a_failure_is_one_line_with_its_causes() {
    sandbox::test(|| {
        for name in ["list-networks", "create-port", "apply-chain", "clean-up"] {
            let outcome = run(name);
            assert!(!outcome.success && outcome.output.is_empty(), "{name}");
            let line = "error: cannot reach …refused…";
            assert_eq!(outcome.errors.lines().count(), 1, "{}", outcome.errors);
            assert!(is_as(&outcome.errors, line), "{name}: {}", outcome.errors);
        }
    });
}

/// A program that gives clones to its threads and tasks compiles.
#[test]
fn clients_chains_and_attachers_are_for_many_threads() {
    fn assert_shareable<T: Clone + Send + Sync + 'static>() {}
    assert_shareable::<Client>();
    assert_shareable::<ServiceChains>();
    assert_shareable::<Attacher>();
}
