//! The `contrail-lab` command, as a process of its own.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use contrail_lab::sandbox;
use contrail_lab::status::{Addresses, Status};
use contrail_lab::trace::Trace;

use crate::lab::{create_interface, create_network, send};
use crate::world::{Container, run, wait_for};

use contrail_core::http::Method;

/// The run file of the lab named `lab`, for root.
const RUN_FILE: &str = "/run/contrail-lab/lab.json";

fn lab(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_contrail-lab"))
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn up(more: &[&str]) -> String {
    let arguments = [
        "up",
        "--background",
        "--ports-dir",
        "/run/ports",
        "--data-plane",
        "on",
    ];
    said(&lab(&[&arguments, more].concat()))
}

fn status() -> Status {
    serde_json::from_str(&said(&lab(&["status", "--json"]))).unwrap()
}

fn attach(status: &Status) -> Container {
    let address = vec!["10.1.1.3/24".parse().unwrap()];
    let container = Container::new("a", address, "10.1.1.1".parse().unwrap());
    create_interface(status.addresses.config_api, &container, "net1");
    container.plug();
    let port = container.port();
    send(Method::POST, status.addresses.agent, "/port", Some(&port)).unwrap();
    container
}

fn nothing_is_left() {
    let links = run("ip", &["-o", "link"]);
    assert!(!links.contains(": x"), "{links}");
    let qdiscs = run("tc", &["qdisc", "show"]);
    assert!(!qdiscs.contains("ingress"), "{qdiscs}");
    assert!(!Path::new("/run/netns/contrail-lab-lab").exists());
    assert!(!Path::new("/run/contrail-lab").exists());
}

#[test]
fn up_says_what_it_is_and_down_leaves_nothing() {
    sandbox::test(|| {
        let text = up(&[]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].contains("on one host, for trying and testing only"),
            "{text}"
        );
        assert!(text.contains("http://127.0.0.1:8082"), "{text}");
        assert_eq!(lines.last(), Some(&"ready"));
        create_network(status().addresses.config_api, "net1", "10.1.1.0");
        let a = attach(&status());
        assert_eq!(a.first_ping(a.gateway), Some(64));
        let text = said(&lab(&["status"]));
        let words = |line: &str| {
            line.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let network = text
            .lines()
            .find(|line| line.contains("admin:net1"))
            .unwrap();
        assert_eq!(
            words(network),
            [
                "default-domain:admin:net1",
                "1001",
                "10.1.1.0/24",
                "10.1.1.1",
                "10.1.1.2"
            ]
        );
        let port = text.lines().find(|line| line.contains(&a.tap())).unwrap();
        assert_eq!(
            words(port)[2..],
            ["default-domain:admin:net1", "10.1.1.3", "active"]
        );
        let text = said(&lab(&["vif"]));
        assert!(text.contains(&format!("OS: {}", a.tap())), "{text}");
        assert!(text.contains("RX packets:"), "{text}");
        said(&lab(&["down"]));
        nothing_is_left();
        assert!(said(&lab(&["down"])).contains("is not running"));
    });
}

#[test]
fn a_killed_lab_is_taken_over_and_cleaned() {
    sandbox::test(|| {
        let kill = || {
            let status = status();
            run("kill", &["-9", &status.pid.to_string()]);
            wait_for("the lab is dead", || !lab(&["status"]).status.success());
        };
        let snapshot = ["--snapshot", "/run/snapshot.json"];
        up(&snapshot);
        create_network(status().addresses.config_api, "net1", "10.1.1.0");
        let a = attach(&status());
        kill();
        up(&snapshot);
        assert_eq!(a.ping(a.gateway), Some(64));
        assert_eq!(run("ip", &["-o", "link"]).matches(": x").count(), 1);
        kill();
        assert!(said(&lab(&["down"])).contains("was killed"));
        nothing_is_left();
    });
}

#[test]
fn a_name_or_an_address_in_use_is_refused_with_the_way_out() {
    sandbox::test(|| {
        up(&[]);
        let second = lab(&["up", "--ports-dir", "/run/other"]);
        assert!(!second.status.success());
        let text = String::from_utf8_lossy(&second.stderr).into_owned();
        assert!(text.contains("another --name"), "{text}");
        let third = lab(&[
            "up",
            "--name",
            "other",
            "--background",
            "--ports-dir",
            "/run/other",
        ]);
        assert!(!third.status.success());
        let text = String::from_utf8_lossy(&third.stderr).into_owned();
        assert!(text.contains("127.0.0.1:8082"), "{text}");
        assert!(!lab(&["down", "--name", "../run/x"]).status.success());
        said(&lab(&["down"]));
    });
}

#[test]
fn a_signal_ends_a_lab_cleanly() {
    sandbox::test(|| {
        up(&[]);
        let pid = status().pid.to_string();
        run("kill", &["-TERM", &pid]);
        wait_for("the lab is gone", || !Path::new(RUN_FILE).exists());
        assert!(said(&lab(&["down"])).contains("is not running"));
        assert!(!Path::new("/run/netns/contrail-lab-lab").exists());
    });
}

/// A lab that ends serves no more before it has removed its ports and its run file.
#[test]
fn down_waits_for_a_lab_that_is_ending_already() {
    sandbox::test(|| {
        let control = TcpListener::bind("127.0.0.1:0").unwrap();
        let addresses = Addresses {
            config_api: control.local_addr().unwrap(),
            keystone: control.local_addr().unwrap(),
            agent: control.local_addr().unwrap(),
            control: control.local_addr().unwrap(),
        };
        std::fs::create_dir_all("/run/contrail-lab").unwrap();
        let run_file = File::create(RUN_FILE).unwrap();
        run_file.lock().unwrap();
        let content = serde_json::json!({"pid": 1, "addresses": addresses});
        std::fs::write(RUN_FILE, content.to_string()).unwrap();

        let down = Command::new(env!("CARGO_BIN_EXE_contrail-lab"))
            .arg("down")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The lab goes while it is asked to stop.
        drop(control.accept().unwrap());
        drop(control);
        std::fs::remove_file(RUN_FILE).unwrap();
        drop(run_file);
        let down = down.wait_with_output().unwrap();
        assert!(said(&down).contains("is down"), "{down:?}");
    });
}

#[test]
fn faults_are_injected_and_requests_logged() {
    sandbox::test(|| {
        up(&[]);
        let agent = status().addresses.agent;
        let fault = [
            "fault",
            "add",
            "agent",
            "status=503:later",
            "--path",
            "/port",
            "--count",
            "1",
        ];
        said(&lab(&fault));
        let get = || send(Method::GET, agent, "/port", None).unwrap().0;
        assert_eq!((get(), get()), (503, 404));
        let listed = said(&lab(&["fault", "list"]));
        let row: Vec<&str> = listed.lines().nth(1).unwrap().split_whitespace().collect();
        let expected = "agent - /port 0 1 2 1 status=503:later";
        assert_eq!(row.join(" "), expected, "{listed}");
        let text = said(&lab(&["log", "--reset"]));
        assert!(text.contains("2 requests, serial depth 2"), "{text}");
        assert!(text.contains("  agent    503"), "{text}");
        assert!(!text.contains("control"), "{text}");
        assert!(said(&lab(&["log"])).contains("0 requests"));
        said(&lab(&["fault", "clear"]));
        said(&lab(&["down"]));
    });
}

#[test]
fn a_trace_shows_the_hops_or_names_what_is_wrong_with_the_question() {
    sandbox::test(|| {
        up(&[]);
        let status = status();
        create_network(status.addresses.config_api, "net1", "10.1.1.0");
        let container = attach(&status);
        let shown = said(&lab(&["trace", "10.1.1.3", "10.1.1.1"]));
        assert!(shown.contains("the router itself answers"), "{shown}");
        let dropped = lab(&["trace", &container.tap(), "10.1.1.9", "--json"]);
        assert_eq!(dropped.status.code(), Some(1), "{dropped:?}");
        let shown = String::from_utf8(dropped.stdout).unwrap();
        let trace: Trace = serde_json::from_str(&shown).unwrap();
        assert_eq!((trace.protocol, trace.hops.len()), (1, 1));
        assert_eq!(trace.hops[0].port, container.id);
        let tcp = [
            "trace",
            "10.1.1.3",
            "10.1.1.9",
            "--protocol",
            "tcp",
            "--port",
            "80",
        ];
        let dropped = lab(&tcp);
        assert_eq!(dropped.status.code(), Some(1), "{dropped:?}");
        let shown = String::from_utf8(dropped.stdout).unwrap();
        assert!(shown.contains("protocol 6"), "{shown}");
        assert!(shown.contains("dropped: no port in"), "{shown}");
        for (arguments, text) in [
            (["trace", "nobody", "10.1.1.1"], "invalid source"),
            (["trace", "10.1.1.3", "nobody"], "invalid destination"),
            (["trace", "10.1.1.3", "fd00::1"], "of the source's family"),
        ] {
            let refused = lab(&arguments);
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert_eq!(refused.status.code(), Some(2));
            assert!(said.contains(text), "{said}");
        }
        said(&lab(&["down"]));
    });
}

/// What the threads of a process have done: how often each was switched to another one, and the
/// processor's time of all, in ticks.
fn work(pid: u32) -> Vec<String> {
    let process = format!("/proc/{pid}");
    let mut work = Vec::new();
    for thread in std::fs::read_dir(format!("{process}/task")).unwrap() {
        // A thread may end meanwhile.
        let status = std::fs::read_to_string(thread.unwrap().path().join("status"));
        let status = status.unwrap_or_default();
        let switches = status.lines().filter(|line| line.contains("ctxt_switches"));
        work.extend(switches.map(str::to_owned));
    }
    assert!(!work.is_empty());
    let stat = std::fs::read_to_string(format!("{process}/stat")).unwrap();
    let times = stat.rsplit_once(')').unwrap().1.split(' ').skip(12).take(2);
    work.extend(times.map(str::to_owned));
    work
}

/// A poll switches threads at each of its turns and a busy loop takes time, whoever else uses the
/// processors.
#[test]
fn a_lab_that_is_not_asked_for_anything_does_nothing() {
    sandbox::test(|| {
        up(&[]);
        let status = status();
        create_network(status.addresses.config_api, "net1", "10.1.1.0");
        let _a = attach(&status);
        let (mut last, mut since) = (work(status.pid), Instant::now());
        wait_for("the lab does nothing for half a second", || {
            let now = work(status.pid);
            if now != last {
                (last, since) = (now, Instant::now());
            }
            since.elapsed() > Duration::from_millis(500)
        });
        said(&lab(&["down"]));
    });
}
