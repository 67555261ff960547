//! Running code where it can do no harm: in namespaces of its own for the network, the mounts and
//! the processes, as root of a user namespace when it is not started by root.
//!
//! Inside, `/run`, `/var/lib` and the configuration of OpenContrail and CNI are empty and can be
//! written, the loopback interface is up, administration programs are in the search path, and
//! nothing that happens reaches the host. When the code ends, or whoever started it, the kernel ends
//! every process that is left and takes the rest with them.
//!
//! [`test()`] and [`isolated`] are for tests, [`reexec_if_needed`] for programs.

mod docker;
mod mounts;
mod netns;
mod search_path;
mod spawn;

use std::env;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, ExitCode, Output};

pub use docker::{ControlGroups, DockerEngine};
pub use netns::TestNetns;

/// Marks a process that was started in a sandbox: `<test>@<mount namespace of the starter>`.
const MARKER: &str = "CONTRAIL_SANDBOX";

/// What [`MARKER`] names when a whole program runs in the sandbox.
const PROGRAM: &str = "program";

/// How the test in the sandbox tells what became of it, on its standard output. The exit code of a
/// test program cannot: it is 0 too when no test of that name exists.
const DONE: &str = "contrail-sandbox: done";
const UNAVAILABLE: &str = "contrail-sandbox: unavailable: ";

/// What a test has to tell besides, at the beginning of a line of its standard error.
const NOTE: &str = "NOTE: ";

/// Runs the body of a test in a sandbox. What follows the call runs outside.
///
/// The test program starts itself again for this one test; a failure shows the output of that run.
/// `test` must be the full name of the test, as `cargo test -- --list` prints it.
///
/// Where the system forbids namespaces the test is skipped, see [`skip`].
///
/// # Panics
/// When the body does, and when no test has that name.
///
/// ```no_run
/// #[test]
/// fn the_loopback_interface_is_up() {
///     contrail_lab::sandbox::isolated("the_loopback_interface_is_up", || {
///         std::net::TcpListener::bind("127.0.0.1:80").unwrap();
///     });
/// }
/// ```
pub fn isolated(test: &str, body: impl FnOnce()) {
    if is_inside(test) {
        let report = match prepare() {
            Ok(()) => {
                body();
                DONE.to_owned()
            }
            Err(error) => format!("{UNAVAILABLE}{error}"),
        };
        // Not print!: that would be part of what the test harness may capture.
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "\n{report}").expect("the starter of the sandbox reads the output");
        // What follows in the test is for the starter, outside.
        std::process::exit(0);
    }
    match start_test(test) {
        Ok(output) => judge(test, &output),
        Err(error) => skip(test, &unavailable(&error)),
    }
}

/// [`isolated`], with the name of the test taken from where `body` stands: directly in the test.
///
/// ```no_run
/// #[test]
/// fn the_loopback_interface_is_up() {
///     contrail_lab::sandbox::test(|| {
///         std::net::TcpListener::bind("127.0.0.1:80").unwrap();
///     });
/// }
/// ```
///
/// # Panics
/// As [`isolated`] does.
pub fn test<F: FnOnce()>(body: F) {
    // `<crate>::<name of the test>::{{closure}}`. Should that ever change, then `isolated` finds no
    // test of the name and says so.
    let path = std::any::type_name::<F>().trim_end_matches("::{{closure}}");
    let name = path.split_once("::").map_or(path, |(_, name)| name);
    isolated(name, body);
}

/// Tells that a test did not run and why, and takes it as passed; with `CI` in the environment, as
/// failed: there, nothing may go unnoticed.
///
/// # Panics
/// When the variable `CI` is set and neither empty nor `false`.
pub fn skip(test: &str, reason: &str) {
    let ci = env::var("CI").is_ok_and(|ci| !ci.is_empty() && ci != "false");
    assert!(!ci, "skipped, which is a failure with CI set: {reason}");
    // Past the test harness, which shows the output only of tests that fail.
    let _ = writeln!(io::stderr(), "SKIPPED: {test}: {reason}");
}

/// Tells something that a test has found out, such as a number, past the test harness and out of the
/// sandbox.
pub fn note(text: &str) {
    // A reader who has gone away does not need it.
    let _ = writeln!(io::stderr(), "{NOTE}{text}");
}

/// For the first line of `main`: starts the program again in a sandbox, with its arguments, and
/// answers its exit code when it has ended. In the sandbox it answers `None`: go on.
///
/// # Errors
/// When the system forbids namespaces.
///
/// ```no_run
/// fn main() -> std::io::Result<std::process::ExitCode> {
///     if let Some(code) = contrail_lab::sandbox::reexec_if_needed()? {
///         return Ok(code);
///     }
///     // From here on nothing of the host can be changed.
///     Ok(std::process::ExitCode::SUCCESS)
/// }
/// ```
pub fn reexec_if_needed() -> io::Result<Option<ExitCode>> {
    if inside() {
        return prepare().map(|()| None);
    }
    let mut command = again(PROGRAM)?;
    command.args(env::args_os().skip(1));
    let status = command
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), unavailable(&error)))?
        .wait()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(Some(code.map_or(ExitCode::FAILURE, ExitCode::from)))
}

/// Whether this program runs in the sandbox that [`reexec_if_needed`] made.
pub fn inside() -> bool {
    is_inside(PROGRAM)
}

/// Whether the sandbox has something of its own at this absolute path, so that what is written there is
/// lost with it.
pub fn hides(path: &Path) -> bool {
    mounts::hides(path) || docker::hides(path)
}

/// This program in a sandbox, without arguments yet.
fn again(name: &str) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.env(MARKER, format!("{name}@{}", mount_namespace()?));
    command.env(
        "PATH",
        search_path::with_administration(env::var_os("PATH")),
    );
    spawn::isolate(&mut command);
    Ok(command)
}

fn start_test(test: &str) -> io::Result<Output> {
    again(test)?
        .args([test, "--exact", "--include-ignored"])
        .args(["--nocapture", "--test-threads=1"])
        .output()
}

fn judge(test: &str, output: &Output) {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    if let Some(reason) = stdout
        .lines()
        .find_map(|line| line.strip_prefix(UNAVAILABLE))
    {
        return skip(test, reason);
    }
    assert!(
        output.status.success(),
        "{test} failed in its sandbox ({}):\n{stdout}\n{stderr}",
        output.status
    );
    assert!(
        stdout.lines().any(|line| line == DONE),
        "no test ran in the sandbox: is {test:?} its full name?\n{stdout}\n{stderr}"
    );
    let is_told = |line: &&str| line.starts_with("SKIPPED: ") || line.starts_with(NOTE);
    for line in stderr.lines().filter(is_told) {
        let _ = writeln!(io::stderr(), "{line}");
    }
}

fn unavailable(error: &io::Error) -> String {
    format!("no namespaces for the network, mounts and processes can be made here: {error}")
}

/// Whether this process was started for `name` and is really in another mount namespace than its
/// starter: a variable alone must not make anybody mount over the host's directories.
fn is_inside(name: &str) -> bool {
    let Ok(marker) = env::var(MARKER) else {
        return false;
    };
    let outside = marker
        .rsplit_once('@')
        .filter(|(started_for, _)| *started_for == name)
        .and_then(|(_, outside)| outside.parse::<u64>().ok());
    match (outside, mount_namespace()) {
        (Some(outside), Ok(here)) => outside != here,
        _ => false,
    }
}

fn mount_namespace() -> io::Result<u64> {
    fs::metadata("/proc/self/ns/mnt").map(|metadata| metadata.ino())
}

fn prepare() -> io::Result<()> {
    mounts::prepare()?;
    netns::set_loopback_up()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_sandbox_replaces_is_hidden() {
        for path in [
            "/run/x",
            "/var/run/x",
            "/proc/x",
            "/etc/cni/net.d/x",
            "/var/lib/x",
            "/var/lib/contrail-lab/x",
            "/var/lib/docker/x",
        ] {
            assert!(hides(Path::new(path)), "{path}");
        }
        for path in ["/tmp/x", "/runs/x", "/var/lib/jenkins/x", "/etc/x"] {
            assert!(!hides(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn nothing_of_the_host_is_seen_or_changed() {
        test(|| {
            assert_eq!(std::process::id(), 1);
            assert!(Path::new("/proc/1/ns/net").exists());
            for dir in ["/run/contrail", "/var/lib/contrail/ports", "/var/run/x"] {
                fs::create_dir_all(dir).unwrap();
            }
            assert!(Path::new("/run/x").exists());
            std::net::TcpListener::bind("127.0.0.1:1").unwrap();
        });
        assert!(!Path::new("/run/x").exists());
    }

    #[test]
    fn a_failure_inside_is_a_failure_outside_with_its_text() {
        const NAME: &str = "sandbox::tests::a_failure_inside_is_a_failure_outside_with_its_text";
        let failure = std::panic::catch_unwind(|| {
            isolated(NAME, || panic!("a text of its own"));
        });
        let Err(failure) = failure else {
            return; // skipped
        };
        if is_inside(NAME) {
            std::panic::resume_unwind(failure);
        }
        let text = failure.downcast_ref::<String>().unwrap();
        assert!(text.contains("a text of its own"), "{text}");
    }

    #[test]
    fn a_wrong_name_does_not_pass() {
        let failure = std::panic::catch_unwind(|| isolated("no::such::test", || {}));
        if let Err(failure) = failure {
            let text = failure.downcast_ref::<String>().unwrap();
            assert!(
                text.contains("is \"no::such::test\" its full name?"),
                "{text}"
            );
        }
    }

    #[test]
    fn processes_that_are_left_end_with_the_sandbox() {
        let started = std::time::Instant::now();
        test(|| {
            // It holds the pipe of the output: the starter would wait for its end.
            let background = Command::new("sh").args(["-c", "sleep 60 &"]).status();
            assert!(background.unwrap().success());
        });
        assert!(started.elapsed().as_secs() < 50);
    }

    #[test]
    fn a_namespace_goes_with_its_helper() {
        test(|| {
            let netns = TestNetns::new("blue").unwrap();
            let path = netns.path().to_owned();
            assert_eq!(path, Path::new("/run/netns/blue"));
            let links = netns.output("cat", &["/proc/thread-self/net/dev"]).unwrap();
            assert!(String::from_utf8_lossy(&links.stdout).contains("lo:"));
            assert!(TestNetns::new("blue").is_err());
            drop(netns);
            assert!(!path.exists());
            TestNetns::new("blue").unwrap();
        });
    }
}
