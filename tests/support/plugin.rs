//! The CNI plugin as a runtime runs it: a process with an environment and a document.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// A program of the workspace, which `cargo test --workspace` puts beside the test programs' own
/// directory.
///
/// # Panics
/// When it has not been built.
pub fn program(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test program has a path");
    let dir = test
        .ancestors()
        .nth(2)
        .expect("test programs lie in <target>/<profile>/deps");
    let program = dir.join(name);
    assert!(
        program.exists(),
        "{} is missing: run cargo build --workspace first",
        program.display()
    );
    program
}

/// A program that gets no more than this much memory for its data, in MiB: what asks for more ends.
pub fn with_memory(program: &Path, mebibytes: u32) -> Command {
    let mut command = Command::new("/bin/sh");
    let script = format!("ulimit -d {} && exec \"$0\" \"$@\"", mebibytes << 10);
    command.args(["-c", &script]).arg(program);
    command
}

/// One call of the plugin.
#[derive(Clone, Debug)]
pub struct Call {
    memory: Option<u32>,
    environment: BTreeMap<String, String>,
    input: String,
}

/// How a call ended.
#[derive(Debug)]
pub struct Outcome {
    /// Whether the exit code was 0.
    pub success: bool,
    /// The one JSON value on standard output; `Null` when there was nothing.
    pub json: Value,
    /// Standard error.
    pub log: String,
    /// How long it took.
    pub time: Duration,
}

impl Call {
    /// A call with the environment of the walk-through's CNI source file.
    pub fn new(command: &str, container: &str, netns: &str, input: &Value) -> Self {
        let environment = [
            ("CNI_COMMAND", command),
            ("CNI_CONTAINERID", container),
            ("CNI_NETNS", netns),
            ("CNI_IFNAME", "eth0"),
            ("CNI_PATH", "/opt/cni/bin"),
            ("API_SERVER_IP", "127.0.0.1"),
            ("API_SERVER_PORT", "8082"),
            ("OS_TENANT_NAME", "admin"),
            ("OS_AUTH_URL", "http://127.0.0.1:35357/v2.0"),
            ("OS_USERNAME", "admin"),
            ("OS_PASSWORD", "contrail123"),
            ("CONTRAIL_NODE_NAME", "node1"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            memory: None,
            environment: environment.into(),
            input: input.to_string(),
        }
    }

    /// The same call with one variable changed.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same call with so many MiB of memory.
    pub fn with_memory(self, mebibytes: u32) -> Self {
        let memory = Some(mebibytes);
        Self { memory, ..self }
    }

    /// The same call with another text on standard input.
    pub fn with_input(mut self, input: &str) -> Self {
        self.input = input.to_owned();
        self
    }

    /// Starts the call; several may run at once.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn start(&self) -> Running {
        self.start_into(Stdio::piped())
    }

    /// The same with a file as standard output; the call's exit status.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn run_into(&self, file: File) -> ExitStatus {
        let running = self.start_into(file.into());
        let output = running.child.wait_with_output();
        output.expect("the plugin ends").status
    }

    fn start_into(&self, stdout: Stdio) -> Running {
        let started = Instant::now();
        let program = program("cni-opencontrail");
        let mut command = match self.memory {
            Some(memory) => with_memory(&program, memory),
            None => Command::new(program),
        };
        let mut child = command
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the plugin starts");
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        // A plugin that refuses its environment may end without reading.
        let _ = stdin.write_all(self.input.as_bytes());
        Running { child, started }
    }

    /// What the program says to a person who calls it with arguments, in this environment.
    ///
    /// # Panics
    /// When it fails.
    pub fn output(&self, arguments: &[&str]) -> String {
        let (success, output, errors) = self.command(arguments);
        assert!(success, "{output}{errors}");
        output
    }

    /// As [`Call::output`], of a call that must fail: standard output and standard error.
    ///
    /// # Panics
    /// When the program cannot be started, or succeeds.
    pub fn failure(&self, arguments: &[&str]) -> (String, String) {
        let (success, output, errors) = self.command(arguments);
        assert!(!success, "{output}{errors}");
        (output, errors)
    }

    fn command(&self, arguments: &[&str]) -> (bool, String, String) {
        let output = Command::new(program("cni-opencontrail"))
            .args(arguments)
            .env_clear()
            .envs(&self.environment)
            .output()
            .expect("the plugin starts");
        let text = |bytes| String::from_utf8(bytes).expect("the output is text");
        let success = output.status.success();
        (success, text(output.stdout), text(output.stderr))
    }

    /// Makes the call and waits for its end.
    ///
    /// # Panics
    /// When the program cannot be started, or writes anything but one JSON value.
    pub fn run(&self) -> Outcome {
        self.start().wait()
    }
}

/// A call that has not ended yet.
pub struct Running {
    child: Child,
    started: Instant,
}

impl Running {
    /// Kills the call where it is and waits until it is gone.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
    }

    /// Whether the call has ended by itself.
    ///
    /// # Panics
    /// When the system does not tell.
    pub fn has_ended(&mut self) -> bool {
        let status = self.child.try_wait().expect("a child can be waited for");
        status.is_some()
    }

    /// Whether all threads of the call wait for something else than the disk, such as an answer.
    ///
    /// # Panics
    /// When the system does not tell.
    pub fn is_waiting(&self) -> bool {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let mut tasks = tasks.expect("the call runs").flatten();
        // A thread that ends between the two reads is a reason to look again.
        tasks.all(|task| {
            let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            let state = stat
                .rsplit_once(") ")
                .and_then(|(_, rest)| rest.chars().next());
            state == Some('S')
        })
    }

    /// Asks the call to end, as a runtime does that gives up.
    ///
    /// # Panics
    /// When it has ended already.
    pub fn interrupt(&self, signal: Signal) {
        let pid = Pid::from_raw(
            self.child
                .id()
                .try_into()
                .expect("ids of processes are small"),
        );
        kill(pid, signal).expect("the call runs");
    }

    /// Waits for the end of the call.
    ///
    /// # Panics
    /// When it writes anything but one JSON value.
    pub fn wait(self) -> Outcome {
        let output = self
            .child
            .wait_with_output()
            .expect("the plugin can be waited for");
        let time = self.started.elapsed();
        let text = String::from_utf8(output.stdout).expect("standard output is text");
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        let json = match text.is_empty() {
            true => Value::Null,
            false => serde_json::from_str(&text)
                .unwrap_or_else(|e| panic!("not one JSON value ({e}): {text:?}\n{log}")),
        };
        Outcome {
            success: output.status.success(),
            json,
            log,
            time,
        }
    }
}

impl Outcome {
    /// The outcome of a call that must have worked.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.success, "{}\n{}", self.json, self.log);
        self
    }

    /// The addresses of a result, with their prefix lengths.
    pub fn addresses(&self) -> Vec<String> {
        let ips = self.json["ips"].as_array().into_iter().flatten();
        ips.filter_map(|ip| ip["address"].as_str().map(str::to_owned))
            .collect()
    }
}
