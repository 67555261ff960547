//! What labs leave in the file system, and what they do to each other there.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use contrail_lab::sandbox;
use contrail_lab::status::Status;

use crate::world::{run, wait_for};

/// The run files and the logs, for root.
const RUN_DIR: &str = "/run/contrail-lab";

/// The services of a second lab.
const OTHER: [&str; 8] = [
    "--name",
    "other",
    "--config-api",
    "127.0.0.1:0",
    "--keystone",
    "127.0.0.1:0",
    "--agent",
    "127.0.0.1:0",
];

fn lab(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_contrail-lab"))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    assert_eq!(text(&output.stdout), "", "{arguments:?}");
    Err(text(&output.stderr))
}

fn up(more: &[&str]) -> Result<String, String> {
    lab(&[&["up", "--background", "--data-plane", "off"], more].concat())
}

fn kill(name: &str) {
    let status = lab(&["status", "--json", "--name", name]).unwrap();
    let status: Status = serde_json::from_str(&status).unwrap();
    run("kill", &["-9", &status.pid.to_string()]);
    wait_for("the lab is dead", || {
        lab(&["status", "--name", name]).is_err()
    });
}

fn exists(path: &str) -> bool {
    Path::new(path).exists()
}

#[test]
fn directories_go_with_the_lab_that_made_them_and_others_stay() {
    sandbox::test(|| {
        fs::create_dir_all("/run/before/ports").unwrap();
        up(&["--ports-dir", "/run/before/ports"]).unwrap();
        lab(&["down"]).unwrap();
        assert!(exists("/run/before/ports"));
        assert!(!exists(RUN_DIR));

        // An empty one of that name was left by a killed command.
        fs::create_dir(RUN_DIR).unwrap();
        up(&[
            "--ports-dir",
            "/run/a/ports",
            "--snapshot",
            "/run/b/c/configuration.json",
        ])
        .unwrap();
        fs::remove_file("/run/b/c/configuration.json").unwrap();
        lab(&["down"]).unwrap();
        for path in [RUN_DIR, "/run/a", "/run/b"] {
            assert!(!exists(path), "{path}");
        }
    });
}

#[test]
fn the_last_of_several_labs_removes_what_they_share() {
    sandbox::test(|| {
        let ports = ["--ports-dir", "/run/shared/ports"];
        up(&ports).unwrap();
        up(&[&OTHER[..], &ports].concat()).unwrap();
        lab(&["down"]).unwrap();
        assert!(exists("/run/shared/ports") && exists(RUN_DIR));
        lab(&["down", "--name", "other"]).unwrap();
        assert!(!exists("/run/shared") && !exists(RUN_DIR));
    });
}

#[test]
fn what_killed_labs_made_goes_with_the_next_one_or_with_down() {
    sandbox::test(|| {
        // Its directory of port files has the lab's name.
        up(&OTHER).unwrap();
        kill("other");
        assert!(exists("/var/lib/contrail-lab/other/ports"));
        up(&OTHER).unwrap();
        kill("other");
        lab(&["down", "--name", "other"]).unwrap();
        assert!(!exists("/var/lib/contrail-lab") && !exists(RUN_DIR));
        up(&OTHER).unwrap();
        kill("other");
        up(&OTHER).unwrap();
        lab(&["down", "--name", "other"]).unwrap();
        assert!(!exists("/var/lib/contrail-lab") && !exists(RUN_DIR));
    });
}

#[test]
fn a_start_that_fails_says_why_and_leaves_nothing() {
    sandbox::test(|| {
        let taken = std::net::TcpListener::bind("127.0.0.1:8082").unwrap();
        let reason = up(&["--ports-dir", "/run/a/ports"]).unwrap_err();
        assert!(reason.contains("listen on 127.0.0.1:8082"), "{reason}");
        assert_eq!(reason.matches("contrail-lab:").count(), 1, "{reason}");
        assert!(!exists("/run/a") && !exists(RUN_DIR));
        drop(taken);
    });
}

#[test]
fn a_second_lab_of_a_name_leaves_the_log_of_the_first_one_alone() {
    sandbox::test(|| {
        up(&[]).unwrap();
        let log = Path::new(RUN_DIR).join("lab.log");
        fs::write(&log, "a warning\n").unwrap();
        let reason = up(&[]).unwrap_err();
        assert!(
            reason.contains("a lab named lab is already running"),
            "{reason}"
        );
        assert_eq!(fs::read_to_string(&log).unwrap(), "a warning\n");
        lab(&["down"]).unwrap();
        assert!(!log.exists());
    });
}

/// Whoever looks while labs of one name come and go sees one that serves or one that does not.
#[test]
fn starting_stopping_and_looking_at_the_same_time_never_fails_for_another_reason() {
    sandbox::test(|| {
        let is_over = AtomicBool::new(false);
        let told = |result: Result<String, String>| {
            let allowed = ["no lab named lab is running", "lab \"lab\" is starting"];
            if let Err(reason) = result {
                assert!(
                    allowed.iter().any(|known| reason.contains(known)),
                    "{reason}"
                );
            }
        };
        std::thread::scope(|scope| {
            for command in ["status", "down"] {
                let is_over = &is_over;
                scope.spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        told(lab(&[command]));
                    }
                });
            }
            for _ in 0..12 {
                lab(&["up", "--background", "--data-plane", "on"]).unwrap();
                // Somebody else may have been faster.
                told(lab(&["down"]));
                wait_for("the lab is gone", || !exists("/run/contrail-lab/lab.json"));
            }
            is_over.store(true, Ordering::Relaxed);
        });
        assert!(!exists(RUN_DIR));
    });
}
