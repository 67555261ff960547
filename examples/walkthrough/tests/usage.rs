//! Arguments with which the walk-through cannot run are refused before it builds or starts anything.

#![allow(clippy::unwrap_used)] // all of it is a test

use std::process::{Command, Output};

/// The walk-through, as cargo starts it, but with a cargo that fails and no Docker engine.
fn walkthrough(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_walkthrough"))
        .args(arguments)
        .env("CARGO", "/bin/false")
        .env("PATH", "")
        .output()
        .unwrap()
}

fn assert_refused(arguments: &[&str], reason: &str) {
    let output = walkthrough(arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    assert!(text.contains(reason), "{arguments:?}: {text}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
}

#[test]
fn a_drawing_that_could_not_be_written_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let absent = format!("{path}/absent/path.svg");
    assert_refused(&["--svg", &absent], "no directory");
    assert_refused(&["--svg", path], "is a directory");
    assert_refused(&["--svg", "/run/path.svg"], "the sandbox has its own /run");
}

#[test]
fn containers_are_refused_without_an_engine() {
    assert_refused(&["--members", "docker"], "use --members namespaces");
    assert_refused(
        &["--members", "podman"],
        "[possible values: docker, namespaces]",
    );
}

#[test]
fn a_failed_build_is_an_error_and_nothing_starts() {
    let output = walkthrough(&["--members", "namespaces"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("cargo build failed (exit status: 1)"),
        "{text}"
    );
    assert!(output.stdout.is_empty());
}
