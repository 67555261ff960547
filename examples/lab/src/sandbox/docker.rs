//! A Docker engine in the sandbox: its state, its sockets and its networks are its own, and it
//! ends with the sandbox.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};

/// Where engine and containerd keep their state.
const STATE: [&str; 2] = ["/var/lib/docker", "/var/lib/containerd"];
const LOG: &str = "/run/dockerd.log";
const CONFIGURATION: &str = "/run/daemon.json";
const CONTAINERD: &str = "/run/containerd/containerd.sock";
const CONTAINERD_CONFIGURATION: &str = "/run/containerd.toml";

/// Without the part for Kubernetes, which would make `/etc/cni` on the host.
const WITHOUT_CRI: &str = "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n";

/// How long the engine may take to answer: it waits for plugins.
const PATIENCE: Duration = Duration::from_secs(40);

/// How often is looked whether something has happened.
const INTERVAL: Duration = Duration::from_millis(20);

/// An engine, to be started in the sandbox. It listens where the `docker` command looks by default.
pub struct DockerEngine {
    options: Vec<String>,
    daemon: Option<Child>,
    /// A service of its own, as on a host: it does not end with the engine.
    _containerd: Child,
}

/// The control groups of an engine's containers: the only thing of it that reaches out of the sandbox.
/// Make one outside, before the sandbox; what is left of them is removed with this value.
pub struct ControlGroups(String);

impl DockerEngine {
    /// Why no engine can be started here; `None` when one can.
    pub fn unavailable() -> Option<String> {
        if !is_real_root() {
            return Some("an engine needs root".to_owned());
        }
        // The sandbox's, where the engine runs.
        let path = super::search_path::with_administration(env::var_os("PATH"));
        let installed = |program: &&str| {
            env::split_paths(&path).any(|directory| directory.join(program).exists())
        };
        let programs = ["docker", "dockerd", "containerd"];
        let missing = programs.iter().find(|program| !installed(program))?;
        Some(format!("{missing} is not installed"))
    }

    /// Starts an engine, with further options for its daemon; returns when it answers.
    ///
    /// # Errors
    /// When it cannot be started or does not answer in time, with the end of its log.
    pub fn start(options: &[&str], groups: &ControlGroups) -> io::Result<Self> {
        for directory in STATE {
            fs::create_dir_all(directory)?;
            let none = None::<&str>;
            mount(
                Some("tmpfs"),
                directory,
                Some("tmpfs"),
                MsFlags::empty(),
                none,
            )?;
        }
        fs::create_dir_all("/run/docker/plugins")?;
        fs::write(CONFIGURATION, "{}")?;
        fs::write(CONTAINERD_CONFIGURATION, WITHOUT_CRI)?;
        let containerd = spawn(
            Command::new("containerd")
                .args(["--config", CONTAINERD_CONFIGURATION])
                .args(["--address", CONTAINERD]),
        )?;
        let end = Instant::now() + PATIENCE;
        while !Path::new(CONTAINERD).exists() {
            check(end, "containerd")?;
        }
        let own = ["--cgroup-parent", &groups.0];
        let options = own.iter().chain(options).map(|&option| option.to_owned());
        let mut engine = Self {
            options: options.collect(),
            daemon: None,
            _containerd: containerd,
        };
        engine.spawn()?;
        engine.wait()?;
        Ok(engine)
    }

    /// Starts the daemon again, which may take its time to answer.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn spawn(&mut self) -> io::Result<()> {
        self.daemon = Some(spawn(
            Command::new("dockerd")
                .args(["--containerd", CONTAINERD, "--config-file", CONFIGURATION])
                .args(["--storage-driver", "vfs", "--bridge=none"])
                .args(["--iptables=false", "--ip6tables=false"])
                // The other one asks systemd, which is not in the sandbox.
                .args(["--exec-opt", "native.cgroupdriver=cgroupfs"])
                .args(&self.options),
        )?);
        Ok(())
    }

    /// Waits until the daemon answers.
    ///
    /// # Errors
    /// When it ends or takes too long.
    pub fn wait(&mut self) -> io::Result<()> {
        let end = Instant::now() + PATIENCE;
        let mut version = Command::new("docker");
        version.arg("version").stdin(Stdio::null());
        while !version.output()?.status.success() {
            let ended = self.daemon.as_mut().map(Child::try_wait).transpose()?;
            if let Some(Some(status)) = ended {
                return Err(io::Error::other(format!(
                    "dockerd ended ({status}): {}",
                    tail()
                )));
            }
            check(end, "dockerd")?;
        }
        Ok(())
    }

    /// What it has logged since it was started last, and its managed plugins with it.
    pub fn log(&self) -> String {
        fs::read_to_string(LOG).unwrap_or_default()
    }

    /// Ends the daemon by a signal, and waits for its end. Containers may live on.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn end(&mut self, signal: Signal) -> io::Result<()> {
        if let Some(mut daemon) = self.daemon.take() {
            let pid = Pid::from_raw(daemon.id().try_into().map_err(io::Error::other)?);
            kill(pid, signal)?;
            daemon.wait()?;
        }
        fs::write(LOG, "")
    }
}

impl ControlGroups {
    /// Those of a name that no other process uses for control groups.
    pub fn new(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl Drop for ControlGroups {
    fn drop(&mut self) {
        let root = Path::new("/sys/fs/cgroup");
        let hierarchies = fs::read_dir(root).into_iter().flatten().flatten();
        for hierarchy in hierarchies.map(|entry| entry.path()).chain([root.into()]) {
            remove_group(&hierarchy.join(&self.0));
        }
    }
}

/// Whether the state of an engine takes the place of this path.
pub(super) fn hides(path: &Path) -> bool {
    STATE.iter().any(|dir| path.starts_with(dir))
}

/// Whether this is root, and not only that of a user namespace.
fn is_real_root() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let ids: Vec<&str> = map.split_whitespace().collect();
    geteuid().is_root() && ids == ["0", "0", "4294967295"]
}

fn remove_group(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_group(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
}

/// Starts a daemon, which ends with the sandbox at the latest.
fn spawn(command: &mut Command) -> io::Result<Child> {
    let log = File::options().append(true).create(true).open(LOG)?;
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(log).spawn()
}

/// Waits a moment, as long as there is time.
fn check(end: Instant, what: &str) -> io::Result<()> {
    if Instant::now() > end {
        let text = format!("{what} does not answer: {}", tail());
        return Err(io::Error::new(io::ErrorKind::TimedOut, text));
    }
    thread::sleep(INTERVAL);
    Ok(())
}

/// The end of the log.
fn tail() -> String {
    let text = fs::read_to_string(LOG).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
