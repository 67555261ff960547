//! The configuration of the CNI plugin, from standard input to the one answer.

use std::io;
use std::process::ExitCode;

use cni_opencontrail::interrupts::Interrupts;
use cni_opencontrail::protocol::environment::Environment;
use cni_opencontrail::{Streams, World, run};
use serde_json::Value;

const COMMANDS: [&str; 5] = ["ADD", "DEL", "CHECK", "GC", "STATUS"];

/// No signal comes.
struct NoSignals;

impl Interrupts for NoSignals {
    fn defer(&self) {}

    fn came(&self) -> bool {
        false
    }
}

/// Runs a command with this configuration; nobody can be reached.
fn call(command: &str, configuration: &[u8]) {
    let environment = [
        ("CNI_COMMAND", command),
        ("CNI_CONTAINERID", "c1"),
        ("CNI_NETNS", "/var/run/netns/c1"),
        ("CNI_IFNAME", "eth0"),
        ("CNI_PATH", "/opt/cni/bin"),
    ];
    let (mut stdin, mut stdout, mut stderr) = (configuration, Vec::new(), Vec::new());
    let world = World {
        environment: Environment::new(
            environment.map(|(name, value)| (name.to_owned(), value.to_owned())),
        ),
        read_file: &|_| Err(io::ErrorKind::NotFound.into()),
        connect: &|_| Err(contrail_core::Error::missing("a network", "this is a test")),
        start_log: &|_| {},
        interrupts: &NoSignals,
    };
    let streams = Streams {
        stdin: &mut stdin,
        stdout: &mut stdout,
        stderr: &mut stderr,
    };
    let code = run(&[], &world, streams);
    let shown = || String::from_utf8_lossy(configuration).into_owned();
    if code == ExitCode::SUCCESS {
        return;
    }
    // One error object, and none that says that the plugin itself is wrong.
    let error: Value = serde_json::from_slice(&stdout).unwrap();
    let code = error["code"].as_u64().unwrap();
    assert_ne!(code, 999, "{error}\n{}", shown());
}

/// A network configuration, with each command.
pub fn netconf(text: &[u8]) {
    for command in COMMANDS {
        call(command, text);
    }
}
