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

/// Runs the plugin with these variables and this configuration; nobody can be reached.
fn call(environment: Environment, configuration: &[u8]) {
    let (mut stdin, mut stdout, mut stderr) = (configuration, Vec::new(), Vec::new());
    let world = World {
        environment,
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
    let log = String::from_utf8(stderr).expect("text");
    assert!(
        log.lines().all(|line| !line.contains(char::is_control)),
        "{log:?}"
    );
    if code == ExitCode::SUCCESS {
        return;
    }
    // One error object, and none that says that the plugin itself is wrong.
    let error: Value = serde_json::from_slice(&stdout).expect("one JSON value");
    assert_ne!(error["code"].as_u64().expect("a code"), 999, "{error}");
    for text in ["msg", "details"] {
        let text = error[text].as_str().unwrap_or_default();
        assert!(!text.contains(char::is_control), "{error}");
    }
}

fn environment<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Environment {
    let variables = variables.into_iter();
    Environment::new(variables.map(|(name, value)| (name.to_owned(), value.to_owned())))
}

/// A network configuration, with each command.
pub fn netconf(text: &[u8]) {
    for command in COMMANDS {
        let variables = [
            ("CNI_COMMAND", command),
            ("CNI_CONTAINERID", "c1"),
            ("CNI_NETNS", "/var/run/netns/c1"),
            ("CNI_IFNAME", "eth0"),
            ("CNI_PATH", "/opt/cni/bin"),
        ];
        call(environment(variables), text);
    }
}

/// The variables of a call, `NAME=value` in each line, with each command unless they say which.
pub fn cni_environment(text: &[u8]) {
    const CONFIGURATION: &[u8] =
        br#"{"cniVersion": "1.1.0", "name": "net1", "type": "opencontrail",
        "ipam": {"subnet": "10.1.1.0/24"}}"#;
    let text = String::from_utf8_lossy(text);
    for command in COMMANDS {
        let variables = text.split('\n').filter_map(|line| line.split_once('='));
        let variables = [("CNI_COMMAND", command)].into_iter().chain(variables);
        call(environment(variables), CONFIGURATION);
    }
}
