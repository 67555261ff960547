//! Programs that people run: they end although nobody reads what they explain on standard error.

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use contrail_lab::lab::CLIENT_ENVIRONMENT;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::{Call, program};
use opencontrail_tests::wait_for;
use opencontrail_tests::world::network;
use serde_json::json;

use crate::stuck::{TIME, dev_full, full_pipe};

/// The document of a chain whose containers have not come yet: `apply` says what it waits for.
const CHAIN: &str = "/run/chain.json";

/// Killed in the end, so that a program that hangs stops with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Runs a program to its end; its exit code.
fn run(name: &str, arguments: &[&str], stderr: Stdio) -> i32 {
    let mut command = Command::new(program(name));
    command
        .args(arguments)
        .env_clear()
        .envs(CLIENT_ENVIRONMENT)
        .env("LOG_LEVEL", "trace")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr);
    let started = Instant::now();
    let mut running = Running(command.spawn().unwrap());
    let mut status = None;
    wait_for(&format!("the end of {name} {arguments:?}"), || {
        status = running.0.try_wait().unwrap();
        status.is_some()
    });
    let time = started.elapsed();
    assert!(time < TIME, "{name} {arguments:?}: {time:?}");
    let code = status.unwrap().code();
    code.unwrap_or_else(|| panic!("{name} {arguments:?}: {status:?}"))
}

#[test]
fn the_commands_of_all_programs_end_although_nobody_reads_their_log() {
    sandbox::test(|| {
        let (_reader, _, writer) = full_pipe();
        let up = ["up", "--background", "--data-plane", "off"];
        assert_eq!(run("contrail-lab", &up, writer), 0);
        for (name, subnet) in [("net1", "10.1.1.0/24"), ("net2", "10.1.2.0/24")] {
            let netns = TestNetns::new(name).unwrap();
            let path = netns.path().display().to_string();
            Call::new("ADD", name, &path, &network(name, subnet))
                .run()
                .ok();
        }
        let service = json!({"name": "si1"});
        let chain = json!({"name": "sc", "left": "net1", "right": "net2", "services": [service]});
        std::fs::write(CHAIN, chain.to_string()).unwrap();
        for (name, arguments, code) in [
            // Nobody joins the service.
            ("service-chain", &["apply", CHAIN, "--wait=2"][..], 1),
            ("service-chain", &["show", CHAIN], 1),
            ("service-chain", &["diff", CHAIN], 1),
            ("service-chain", &["delete", CHAIN], 0),
            ("service-chain", &["apply", "/run/absent.json"], 2),
            ("cni-opencontrail", &["clean"], 0),
            ("cni-opencontrail", &["clen"], 2),
            ("cnm-opencontrail", &["config"], 0),
            ("cnm-opencontrail", &["clean", "--mistyped"], 2),
            ("contrail-lab", &["status"], 0),
            ("contrail-lab", &["stauts"], 2),
            ("service-chain", &["aply", CHAIN], 2),
            ("contrail-lab", &["trace", "absent", "absent"], 2),
        ] {
            let (_reader, _, writer) = full_pipe();
            let ended = [writer, dev_full()].map(|stderr| run(name, arguments, stderr));
            assert_eq!(ended, [code; 2], "{name} {arguments:?}");
        }
        let (_reader, _, writer) = full_pipe();
        assert_eq!(run("contrail-lab", &["down"], writer), 0);
    });
}
