//! Help and usage errors, which need no controller.

#![allow(clippy::unwrap_used)] // all of it is a test

use std::process::{Command, Output};

fn service_chain(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_service-chain"))
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn help_names_the_commands_the_settings_and_the_exit_codes() {
    let output = service_chain(&["--help"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for word in [
        "apply",
        "show",
        "diff",
        "delete",
        "API_SERVER_IP",
        "OS_PASSWORD",
        "Exit codes",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn an_absent_file_is_an_error_that_names_it() {
    let output = service_chain(&["diff", "absent.json"]);
    assert_eq!(output.status.code(), Some(2));
    let reason = String::from_utf8(output.stderr).unwrap();
    assert!(reason.contains("cannot read absent.json"), "{reason}");
}

#[test]
fn wait_and_no_wait_conflict_and_seconds_follow_an_equals_sign() {
    for arguments in [
        &["apply", "absent.json", "--wait", "--no-wait"][..],
        &["apply", "absent.json", "--wait=soon"],
        &["show", "absent.json", "--wait"],
    ] {
        let output = service_chain(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let reason = String::from_utf8(output.stderr).unwrap();
        assert!(reason.contains("--wait"), "{reason}");
    }
    // The file is not taken for the seconds.
    let output = service_chain(&["apply", "--wait", "absent.json"]);
    let reason = String::from_utf8(output.stderr).unwrap();
    assert!(reason.contains("cannot read absent.json"), "{reason}");
}
