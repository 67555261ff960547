//! The CNI plugin as a runtime runs it: a process with an environment and a document.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use contrail_lab::lab::CLIENT_ENVIRONMENT;
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

/// A program under a limit of the system, as the arguments of the shell's `ulimit`: `-n 8`.
pub fn limited(program: &Path, limit: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    let script = format!("ulimit {limit} && exec \"$0\" \"$@\"");
    shell.args(["-c", &script]).arg(program);
    shell
}

/// One call of the plugin.
#[derive(Clone, Debug)]
pub struct Call {
    environment: BTreeMap<String, String>,
    input: String,
    /// As the shell's `ulimit` has it.
    limit: Option<String>,
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
            ("API_SERVER_PORT", "8082"),
            ("CONTRAIL_NODE_NAME", "node1"),
        ];
        let environment = environment.into_iter().chain(CLIENT_ENVIRONMENT);
        Self {
            environment: environment
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            input: input.to_string(),
            limit: None,
        }
    }

    /// The same call with one variable changed.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same call with another text on standard input.
    pub fn with_input(mut self, input: &str) -> Self {
        self.input = input.to_owned();
        self
    }

    /// The same call under a limit of the system, as the arguments of the shell's `ulimit`: `-n 8`.
    pub fn with_limit(mut self, limit: &str) -> Self {
        self.limit = Some(limit.to_owned());
        self
    }

    fn program(&self) -> Command {
        let program = program("cni-opencontrail");
        match &self.limit {
            None => Command::new(program),
            Some(limit) => limited(&program, limit),
        }
    }

    /// Starts the call; several may run at once.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn start(&self) -> Running {
        self.start_into(Stdio::piped(), Stdio::piped())
    }

    /// Runs the call with a file as standard output; its exit status.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn run_into(&self, file: File) -> ExitStatus {
        let running = self.start_into(file.into(), Stdio::piped());
        let output = running.child.wait_with_output();
        output.expect("the plugin ends").status
    }

    /// The same with another standard error, which is not read.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn start_with_stderr(&self, stderr: Stdio) -> Running {
        self.start_into(Stdio::piped(), stderr)
    }

    fn start_into(&self, stdout: Stdio, stderr: Stdio) -> Running {
        let started = Instant::now();
        let mut child = self
            .program()
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(stderr)
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
