//! An engine of a test's own, for what must not happen to the system's: crashes, restarts and swarms.
//!
//! It lives in the sandbox, where its state, its sockets and its networks are nobody else's, and ends
//! with it.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use contrail_lab::sandbox::{self, skip};
use nix::mount::{MsFlags, mount};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use opencontrail_tests::wait_for;

use crate::engine::docker;

/// Where engine and containerd keep their state.
const STATE: [&str; 2] = ["/var/lib/docker", "/var/lib/containerd"];
const LOG: &str = "/run/dockerd.log";
const CONFIGURATION: &str = "/run/daemon.json";
const CONTAINERD: &str = "/run/containerd/containerd.sock";

/// An engine in the sandbox.
pub struct OwnEngine {
    options: Vec<String>,
    daemon: Option<Child>,
    /// A service of its own, as on a host: it does not end with the engine.
    _containerd: Child,
}

/// Runs the body of a test with an engine of its own, started with these options. `test` is the full
/// name of the test.
pub fn isolated(test: &str, options: &[&str], body: impl FnOnce(OwnEngine)) {
    if let Some(reason) = unavailable() {
        return skip(test, &reason);
    }
    let groups = ControlGroups(test.replace("::", "-"));
    sandbox::isolated(test, || body(OwnEngine::start(options, &groups.0)));
}

fn unavailable() -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("an engine needs root".into());
    }
    let installed = |program: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|directory| directory.join(program).exists())
    };
    let missing = ["dockerd", "containerd", "busybox"]
        .into_iter()
        .find(|p| !installed(p));
    missing.map(|program| format!("{program} is not installed"))
}

/// The control groups of a test's containers, which are removed in the end: nothing else of an engine
/// reaches out of the sandbox.
struct ControlGroups(String);

impl Drop for ControlGroups {
    fn drop(&mut self) {
        let root = Path::new("/sys/fs/cgroup");
        let hierarchies = fs::read_dir(root).into_iter().flatten().flatten();
        for hierarchy in hierarchies.map(|entry| entry.path()).chain([root.into()]) {
            remove_group(&hierarchy.join(&self.0));
        }
    }
}

fn remove_group(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_group(&entry.path());
        }
    }
    fs::remove_dir(group).ok();
}

impl OwnEngine {
    /// Starts it; returns when it answers.
    fn start(options: &[&str], groups: &str) -> Self {
        for directory in STATE {
            fs::create_dir_all(directory).unwrap();
            mount(
                Some("tmpfs"),
                directory,
                Some("tmpfs"),
                MsFlags::empty(),
                None::<&str>,
            )
            .unwrap();
        }
        fs::create_dir_all("/run/docker/plugins").unwrap();
        fs::write(CONFIGURATION, "{}").unwrap();
        let containerd = spawn(Command::new("containerd").args(["--address", CONTAINERD]));
        wait_for("containerd's socket", || Path::new(CONTAINERD).exists());
        let own = ["--cgroup-parent", groups];
        let options = own.iter().chain(options).map(|&option| option.to_owned());
        let mut engine = Self {
            options: options.collect(),
            daemon: None,
            _containerd: containerd,
        };
        engine.spawn();
        engine.wait();
        engine
    }

    /// Starts the daemon, which may take its time to answer.
    pub fn spawn(&mut self) {
        self.daemon = Some(spawn(
            Command::new("dockerd")
                .args(["--containerd", CONTAINERD, "--config-file", CONFIGURATION])
                .args(["--storage-driver", "vfs", "--bridge=none"])
                .args(["--iptables=false", "--ip6tables=false"])
                .args(&self.options),
        ));
    }

    /// Waits until it answers.
    pub fn wait(&mut self) {
        let daemon = self.daemon.as_mut().unwrap();
        wait_for("the engine's answer", || {
            assert_eq!(daemon.try_wait().unwrap(), None, "{}", log());
            docker("version").success
        });
    }

    /// Waits until it asks for a plugin that is not there, or answers without one.
    pub fn wait_for_question(&self) {
        wait_for("a question for the plugin", || {
            let log = fs::read_to_string(LOG).unwrap();
            // A question for its version would wait as long as it does.
            log.contains("Unable to connect to plugin") || log.contains("API listen on")
        });
    }

    /// Waits until it, or a managed plugin, logs a text.
    pub fn wait_for_log(&self, text: &str) {
        wait_for(text, || fs::read_to_string(LOG).unwrap().contains(text));
    }

    /// Ends the daemon by a signal, and waits for its end.
    pub fn end(&mut self, signal: Signal) {
        let mut daemon = self.daemon.take().unwrap();
        let pid = Pid::from_raw(daemon.id().try_into().unwrap());
        kill(pid, signal).unwrap();
        daemon.wait().unwrap();
        fs::write(LOG, "").unwrap();
    }
}

/// Starts a daemon, which ends with the sandbox at the latest.
fn spawn(command: &mut Command) -> Child {
    let log = File::options().append(true).create(true).open(LOG).unwrap();
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(log).spawn().unwrap()
}

/// The end of what the engine has logged.
fn log() -> String {
    let text = fs::read_to_string(Path::new(LOG)).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
