//! What the command says of itself, without a controller.

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
fn a_file_that_is_not_there_is_an_error_with_its_name() {
    let output = service_chain(&["diff", "absent.json"]);
    assert_eq!(output.status.code(), Some(2));
    let reason = String::from_utf8(output.stderr).unwrap();
    assert!(reason.contains("cannot read absent.json"), "{reason}");
}

#[test]
fn waiting_and_not_waiting_exclude_each_other_and_seconds_follow_an_equals_sign() {
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
