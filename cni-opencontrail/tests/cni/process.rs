//! The binary itself, as a runtime starts it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn plugin(environment: &[(&str, &str)], stdin: &str) -> Output {
    start(
        Path::new(env!("CARGO_BIN_EXE_cni-opencontrail")),
        environment,
        stdin,
    )
}

fn start(binary: &Path, environment: &[(&str, &str)], stdin: &str) -> Output {
    let mut child = Command::new(binary)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // VERSION reads nothing and may be gone already.
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).ok();
    child.wait_with_output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

#[test]
fn it_answers_version_under_both_of_its_names() {
    let directory = tempfile::tempdir().unwrap();
    let other = directory.path().join("opencontrail");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_cni-opencontrail"), &other).unwrap();
    for binary in [Path::new(env!("CARGO_BIN_EXE_cni-opencontrail")), &other] {
        let output = start(binary, &[("CNI_COMMAND", "VERSION")], "");
        assert!(output.status.success() && output.stderr.is_empty());
        assert_eq!(
            json(&output)["supportedVersions"].as_array().unwrap().len(),
            7
        );
    }
}

#[test]
fn what_is_no_command_is_refused_with_what_it_probably_means() {
    for (line, code, expected) in [
        (
            vec!["clen"],
            2,
            "unknown command \"clen\", did you mean clean?",
        ),
        (vec!["CLEAN"], 2, "\"CLEAN\", did you mean clean?"),
        (vec!["--hepl"], 2, "\"--hepl\", did you mean --help?"),
        (vec!["--verison"], 2, "did you mean --version?"),
        (
            vec!["remove-everything"],
            2,
            "unknown command \"remove-everything\"\n",
        ),
        (vec!["help", "clean"], 2, "\"clean\" after help"),
        (vec!["clean", "--remve"], 2, "did you mean --remove?"),
        (vec!["clean", "--grace", "soon"], 2, "soon"),
        (vec!["clean", "/no/such/file"], 1, "/no/such/file"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_cni-opencontrail"))
            .env_clear()
            .args(&line)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{line:?}: {text}");
        assert!(
            output.stdout.is_empty() && text.contains(expected),
            "{line:?}: {text}"
        );
    }
}

#[test]
fn without_a_command_it_explains_itself_and_does_not_wait_for_input() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cni-opencontrail"))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let kept_open = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(kept_open);
    assert!(output.status.success() && output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("CNI_COMMAND"));
}

#[test]
fn errors_are_one_json_value_on_standard_output_whatever_is_logged() {
    let output = plugin(
        &[
            ("CNI_COMMAND", "ADD"),
            ("CNI_CONTAINERID", "c1"),
            ("CNI_NETNS", "/x"),
            ("CNI_IFNAME", "eth0"),
            ("LOG_LEVEL", "trace"),
            ("RUST_LOG", "trace"),
            ("RUST_BACKTRACE", "1"),
        ],
        r#"{"name":"net1","mtu":"nonsense"}"#,
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(json(&output)["code"], 7);
    let log = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(
        log.contains("error: code 7") && log.contains("nonsense"),
        "{log}"
    );
    let is_cut_off = |line: &str| line.ends_with([';', ':', ' ']);
    assert!(!log.lines().any(is_cut_off), "{log}");
}

#[test]
fn the_log_goes_to_a_file_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cni.log");
    let config =
        format!(r#"{{"name":"net1","log_file":{path:?},"log_level":"info","mtuu":7,"mtu":"x"}}"#);
    let environment = [
        ("CNI_COMMAND", "ADD"),
        ("CNI_CONTAINERID", "c1"),
        ("CNI_NETNS", "/x"),
        ("CNI_IFNAME", "eth0"),
    ];
    let output = plugin(&environment, &config);
    let log = std::fs::read_to_string(&path).unwrap();
    assert!(
        log.contains(
            "warn: unknown configuration keys without effect: \"mtuu\" (did you mean mtu?)"
        ),
        "{log}"
    );
    assert!(log.contains("error: code 7"), "{log}");
    assert_eq!(log.as_bytes(), output.stderr);
    let unwritable = config.replace("cni.log", "none/cni.log");
    let output = plugin(&environment, &unwritable);
    assert_eq!(json(&output)["code"], 7);
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write log file"));
    // A pipe that nobody reads would be waited for.
    std::fs::remove_file(&path).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    let output = plugin(&environment, &config);
    assert_eq!(json(&output)["code"], 7);
    assert!(String::from_utf8_lossy(&output.stderr).contains("not a regular file"));
}

#[test]
fn a_closed_reader_makes_it_fail_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cni-opencontrail"))
        .env_clear()
        .env("CNI_COMMAND", "STATUS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    // It answers only after its input has ended: the reader is certainly gone by then.
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
}
