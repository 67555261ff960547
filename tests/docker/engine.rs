//! The engine, through its command line.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The label of everything that these tests make; its value is the test program's process id.
const LABEL: &str = "opencontrail.test";

/// How a `docker` command ended.
#[derive(Debug)]
pub struct Outcome {
    pub success: bool,
    pub out: String,
    pub err: String,
}

impl Outcome {
    /// The output of a command that must have worked, without the line's end.
    #[track_caller]
    pub fn ok(self) -> String {
        assert!(self.success, "{}{}", self.out, self.err);
        self.out.trim_end().to_owned()
    }

    /// The message of a command that must have failed.
    #[track_caller]
    pub fn refused(self) -> String {
        assert!(!self.success, "it worked: {}", self.out);
        self.err
    }
}

/// Runs a `docker` command, given as one line of words.
pub fn docker(line: &str) -> Outcome {
    run(command().args(line.split_whitespace()))
}

/// Removes containers, one after the other: when several join or leave a network at the same moment,
/// engine 20.10 may count its endpoints wrongly and never let the network go again. The plugin is called
/// at once by tests of its own.
#[track_caller]
pub fn remove_containers(names: &[impl AsRef<str>]) {
    for name in names {
        docker(&format!("rm -f {}", name.as_ref())).ok();
    }
}

/// The command that came with the engine: newer ones refuse `--mac-address` to an older engine.
fn command() -> Command {
    let own = Path::new("/usr/bin/docker");
    Command::new(if own.exists() {
        own
    } else {
        Path::new("docker")
    })
}

pub fn run(command: &mut Command) -> Outcome {
    let output = command.stdin(Stdio::null()).output();
    outcome(output.unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

fn outcome(output: Output) -> Outcome {
    Outcome {
        success: output.status.success(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Why these tests cannot run here.
pub fn unavailable() -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("the tests with Docker need root".into());
    }
    let version = command()
        .args(["version", "--format", "{{.Server.Version}}"])
        .stdin(Stdio::null())
        .output();
    match version {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            return Some(format!("no Docker engine answers: {}", error.trim()));
        }
        Err(error) => return Some(format!("there is no docker command: {error}")),
    }
    let busybox = Path::new("/bin/busybox").exists();
    (!busybox).then(|| "the images are made of busybox-static, which is not installed".into())
}

/// The label of this test program's things.
pub fn label() -> String {
    format!("{LABEL}={}", std::process::id())
}

/// An image of nothing but busybox, made without any registry.
pub fn import_image(name: &str) {
    let directory = tempfile::tempdir().unwrap();
    let bin = directory.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::fs::copy("/bin/busybox", bin.join("busybox")).unwrap();
    for applet in [
        "sh", "sleep", "ping", "ping6", "ip", "cat", "tail", "true", "wget", "httpd",
    ] {
        std::os::unix::fs::symlink("busybox", bin.join(applet)).unwrap();
    }
    for mount_point in ["etc", "proc", "sys", "dev", "tmp"] {
        std::fs::create_dir(directory.path().join(mount_point)).unwrap();
    }
    let tar = Command::new("tar")
        .args(["-C", &directory.path().display().to_string(), "-c", "."])
        .output()
        .unwrap();
    assert!(tar.status.success());
    let mut import = command()
        .args(["import", "-c", &format!("LABEL {}", label()), "-", name])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    import.stdin.take().unwrap().write_all(&tar.stdout).unwrap();
    assert!(import.wait().unwrap().success());
}

/// Removes what this test program has made, and what others that were killed have left. Images of
/// theirs stay: lists of images do not say whose they are.
pub fn sweep() {
    for id in labelled("ps -a --no-trunc") {
        remove(&format!("rm -fv {id}"));
    }
    for id in labelled("network ls --no-trunc") {
        remove(&format!("network rm {id}"));
    }
    let images = docker(&format!("image ls -q --filter label={}", label())).out;
    for id in images.lines() {
        remove(&format!("image rm -f {id}"));
    }
}

/// The ids in a list, of this test program's things and those of programs that run no more.
fn labelled(list: &str) -> Vec<String> {
    let mut command = command();
    command.args(list.split_whitespace());
    command.args(["--filter", &format!("label={LABEL}")]);
    command.args([
        "--format",
        &format!("{{{{.ID}}}} {{{{.Label \"{LABEL}\"}}}}"),
    ]);
    let list = run(&mut command).out;
    let lines = list.lines().filter_map(|line| line.split_once(' '));
    let own = std::process::id().to_string();
    let is_ours = |pid: &str| pid == own || !Path::new("/proc").join(pid).exists();
    let ours = lines.filter(|(_, pid)| is_ours(pid));
    ours.map(|(id, _)| id.to_owned()).collect()
}

fn remove(line: &str) {
    let removed = docker(line);
    if !removed.success {
        eprintln!("docker {line}: {}", removed.err);
    }
}

/// What `docker inspect` says about a container or network.
pub fn inspect(name: &str) -> Value {
    let text = docker(&format!("inspect {name}")).ok();
    let mut all: Vec<Value> = serde_json::from_str(&text).unwrap();
    all.remove(0)
}
