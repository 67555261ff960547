//! The program itself: how it starts, answers and ends.

#![allow(clippy::unwrap_used)] // all of it is a test

use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

mod support;

use support::post;
use support::program::{DEAD, Program};

impl Program {
    /// The plugin, started by a shell script as `$0`.
    fn in_shell(&self, script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", script, env!("CARGO_BIN_EXE_cnm-opencontrail")])
            .env_clear();
        let command_alone = self.command(&[]);
        let environment = command_alone.get_envs();
        command.envs(environment.filter_map(|(name, value)| Some((name, value?))));
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts the plugin; its socket exists when this returns.
    fn serve(&self, arguments: &[&str]) -> Serving {
        let log = std::fs::File::create(self.path("log")).unwrap();
        let child = self.command(arguments).stderr(log).spawn().unwrap();
        let serving = Serving {
            child,
            log: self.path("log"),
        };
        let socket = self.path("plugins/opencontrail.sock");
        let end = Instant::now() + Duration::from_secs(10);
        while !socket.exists() && !arguments.contains(&"--name") {
            assert!(Instant::now() < end, "no socket: {}", serving.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        serving
    }
}

struct Serving {
    child: Child,
    log: PathBuf,
}

impl Serving {
    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    fn terminate(&mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn it_answers_while_the_controller_is_down_and_removes_its_socket() {
    let program = Program::new();
    let mut serving = program.serve(&[]);
    let socket = program.path("plugins/opencontrail.sock");
    let (status, answer) = post(&socket, "Plugin.Activate", "");
    assert_eq!((status, answer["Implements"].is_array()), (200, true));
    let (_, answer) = post(&socket, "IpamDriver.GetCapabilities", "");
    assert_eq!(answer["RequiresRequestReplay"], true);
    let request = r#"{"Pool":"10.1.1.0/24","Options":{"name":"net1"}}"#;
    let (status, answer) = post(&socket, "IpamDriver.RequestPool", request);
    let error = answer["Error"].as_str().unwrap();
    assert!(status == 200 && error.contains(DEAD), "{answer}");
    serving.terminate();
    assert!(!socket.exists());
    assert!(serving.log().contains("stopped"), "{}", serving.log());
}

#[test]
fn a_second_plugin_is_refused_and_the_first_keeps_running() {
    let program = Program::new();
    let _serving = program.serve(&[]);
    let second = program.output(&[]);
    assert!(!second.status.success());
    assert!(text(&second.stderr).contains("another plugin answers"));
    assert!(program.output(&["ping", "--socket"]).status.success());
}

#[test]
fn ping_fails_unless_a_plugin_answers() {
    let program = Program::new();
    let none = program.output(&["ping", "--socket"]);
    assert!(!none.status.success());
    let error = text(&none.stderr);
    assert!(error.contains("no plugin answers on"), "{error}");
    let _serving = program.serve(&[]);
    let answer = program.output(&["ping", "--socket"]);
    assert!(answer.status.success(), "{}", text(&answer.stderr));
    assert!(text(&answer.stdout).contains("opencontrail.sock: {\"Implements\":"));
}

#[test]
fn one_process_can_have_several_names() {
    let program = Program::new();
    let mut serving = program.serve(&["--name", "a", "--name", "b"]);
    let end = Instant::now() + Duration::from_secs(10);
    while !program
        .output(&["ping", "--socket", "--name", "a", "--name", "b"])
        .status
        .success()
    {
        assert!(Instant::now() < end, "{}", serving.log());
    }
    serving.terminate();
    let left = std::fs::read_dir(program.path("plugins")).unwrap().count();
    assert_eq!(left, 0);
}

/// The notifications that systemd receives from a service.
struct Systemd {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Systemd {
    fn new(program: &Program) -> Self {
        let path = program.path("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        Self { socket, path }
    }

    fn start(&self, program: &Program, environment: &[(&str, &str)]) -> Serving {
        let log = std::fs::File::create(program.path("log")).unwrap();
        let mut command = program.command(&[]);
        command.env("NOTIFY_SOCKET", &self.path).stderr(log);
        command.envs(environment.iter().copied());
        Serving {
            child: command.spawn().unwrap(),
            log: program.path("log"),
        }
    }

    fn message(&self) -> String {
        let mut buffer = [0; 256];
        let length = self.socket.recv(&mut buffer).unwrap();
        text(&buffer[..length])
    }
}

#[test]
fn systemd_is_notified_when_the_plugin_is_ready_and_when_it_stops() {
    let program = Program::new();
    let systemd = Systemd::new(&program);
    let mut serving = systemd.start(&program, &[]);
    assert_eq!(systemd.message(), "READY=1\nSTATUS=serving 1 socket\n");
    let socket = program.path("plugins/opencontrail.sock");
    assert_eq!(post(&socket, "Plugin.Activate", "").0, 200);
    serving.terminate();
    let status = "stopping: finishing the running calls";
    assert_eq!(systemd.message(), format!("STOPPING=1\nSTATUS={status}\n"));
}

#[test]
fn the_status_counts_removals_that_wait_for_the_controller() {
    let program = Program::new();
    let addresses = program.path("state/ipam/addresses");
    std::fs::create_dir_all(&addresses).unwrap();
    let id = "5dd372be-4068-49dc-af5d-eb79f93a7bdf";
    let entry = format!(
        r#"{{"id":"{id}","pool":"d:p:n@10.1.1.0/24@","network":"{id}","address":"10.1.1.9","life":1,"phase":"Released"}}"#
    );
    std::fs::write(addresses.join(id), entry).unwrap();
    let systemd = Systemd::new(&program);
    let mut serving = systemd.start(&program, &[]);
    assert!(systemd.message().starts_with("READY=1\n"));
    let status = "serving 1 socket; 1 operation not complete: see the log";
    assert_eq!(systemd.message(), format!("STATUS={status}\n"));
    serving.terminate();
    assert!(
        serving.log().contains("removals deferred"),
        "{}",
        serving.log()
    );
}

#[test]
fn the_watchdog_is_fed_if_systemd_asks_for_it() {
    let program = Program::new();
    let systemd = Systemd::new(&program);
    let serving = systemd.start(&program, &[("WATCHDOG_USEC", "20000")]);
    let received: Vec<String> = (0..4).map(|_| systemd.message()).collect();
    let fed = received.iter().filter(|message| *message == "WATCHDOG=1\n");
    assert_eq!(fed.count(), 3, "{received:?} {}", serving.log());
    drop(serving);
    // Another process is watched.
    let program = Program::new();
    let systemd = Systemd::new(&program);
    let other = [("WATCHDOG_USEC", "20000"), ("WATCHDOG_PID", "1")];
    let mut serving = systemd.start(&program, &other);
    assert!(systemd.message().starts_with("READY=1\n"));
    serving.terminate();
    assert!(systemd.message().starts_with("STOPPING=1\n"));
}

#[test]
fn descriptors_of_another_process_are_left_alone_and_nonsense_is_refused() {
    let program = Program::new();
    let systemd = Systemd::new(&program);
    let other = [("LISTEN_PID", "1"), ("LISTEN_FDS", "1")];
    let mut serving = systemd.start(&program, &other);
    assert!(systemd.message().starts_with("READY=1\n"));
    assert!(program.path("plugins/opencontrail.sock").exists());
    serving.terminate();
    // Nothing is open under that number.
    let script = "LISTEN_PID=$$ LISTEN_FDS=60 exec \"$0\"";
    let mut command = program.in_shell(script);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let error = text(&output.stderr);
    assert!(
        !output.status.success() && error.contains("the sockets of systemd"),
        "{error}"
    );
}

#[test]
fn a_socket_that_systemd_opened_is_served_and_stays() {
    let program = Program::new();
    let path = program.path("activated.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let script = "exec 3<&0 0</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\"";
    let mut command = program.in_shell(script);
    command.stdin(OwnedFd::from(listener)).stderr(Stdio::null());
    let mut serving = Serving {
        child: command.spawn().unwrap(),
        log: program.path("log"),
    };
    assert_eq!(post(&path, "Plugin.Activate", "").0, 200);
    serving.terminate();
    assert!(path.exists() && !program.path("plugins").exists());
}

#[test]
fn wrong_settings_are_refused_and_unusual_ones_warned_of_at_the_start() {
    let program = Program::new();
    for (arguments, expected) in [
        (&["-g", "swarm"][..], "local or global is expected"),
        (&["--name", "../x"], "--name"),
        (&["-f", "/nowhere"], "/nowhere"),
    ] {
        let output = program.output(arguments);
        let error = text(&output.stderr);
        assert!(
            !output.status.success() && error.contains(expected),
            "{error}"
        );
    }
    let mut serving = program.serve(&["-g", "global", "-u", "bob", "-p", "hush"]);
    serving.terminate();
    let log = serving.log();
    for warning in [
        "SCOPE=local",
        "--endpoint-mode dnsrr",
        "ADMIN_PASSWORD_FILE",
    ] {
        assert!(log.contains(warning), "{log}");
    }
    // Nothing is known of an earlier start.
    assert!(!log.contains("restart Docker"), "{log}");
    assert!(!log.contains("hush"));
    let first = log.lines().next().unwrap();
    assert!(
        first.starts_with("20")
            && first.contains(" cnm-opencontrail[")
            && first.contains("] warn: "),
        "{first}"
    );
}

#[test]
fn a_scrape_of_metrics_is_answered_and_leaves_no_error_in_the_log() {
    let program = Program::new();
    let mut serving = program.serve(&[]);
    for request in [
        "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ] {
        let socket = program.path("plugins/opencontrail.sock");
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
    serving.terminate();
    let log = serving.log();
    assert!(
        !log.contains("] error: ") && !log.contains("metrics"),
        "{log}"
    );
}

#[test]
fn a_change_of_what_docker_remembers_is_warned_of_once() {
    let program = Program::new();
    for (arguments, expected) in [
        (&[][..], None),
        (&["-g", "global"], Some("the scope was local and is global")),
        (&["-g", "global"], None),
        (
            &["-g", "global", "--name", "a"],
            Some("/a.sock. Docker reads"),
        ),
    ] {
        let mut serving = program.serve(arguments);
        let name = if arguments.contains(&"a") {
            "a"
        } else {
            "opencontrail"
        };
        let end = Instant::now() + Duration::from_secs(10);
        while !program.path(&format!("plugins/{name}.sock")).exists() {
            assert!(Instant::now() < end, "no socket: {}", serving.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        serving.terminate();
        let log = serving.log();
        assert_eq!(
            log.contains("restart Docker after"),
            expected.is_some(),
            "{log}"
        );
        assert!(log.contains(expected.unwrap_or_default()), "{log}");
    }
}

#[test]
fn a_ping_fails_while_the_api_does_not_answer_although_the_plugin_does() {
    let program = Program::new();
    let mut serving = program.serve(&[]);
    assert!(program.output(&["ping", "--socket"]).status.success());
    let refused = program.output(&["ping"]);
    assert!(!refused.status.success());
    assert!(text(&refused.stderr).contains(DEAD));
    serving.terminate();
}

#[test]
fn a_stale_socket_is_replaced() {
    let program = Program::new();
    let mut serving = program.serve(&[]);
    serving.child.kill().unwrap();
    serving.child.wait().unwrap();
    assert!(Path::new(&program.path("plugins/opencontrail.sock")).exists());
    let mut again = program.serve(&[]);
    let end = Instant::now() + Duration::from_secs(10);
    while !program.output(&["ping", "--socket"]).status.success() {
        assert!(Instant::now() < end, "{}", again.log());
    }
    again.terminate();
}
