//! How the programs fail.

#![allow(clippy::unwrap_used)] // all of it is a test

use std::process::Command;

const PROGRAMS: [&str; 5] = [
    env!("CARGO_BIN_EXE_list-networks"),
    env!("CARGO_BIN_EXE_create-port"),
    env!("CARGO_BIN_EXE_attach-namespace"),
    env!("CARGO_BIN_EXE_apply-chain"),
    env!("CARGO_BIN_EXE_clean-up"),
];

#[test]
fn a_setting_that_cannot_be_used_is_named_in_one_line() {
    for program in PROGRAMS {
        let output = Command::new(program)
            .env_clear()
            .env("API_SERVER_PORT", "none")
            .output()
            .unwrap();
        assert!(!output.status.success(), "{program}");
        assert!(output.stdout.is_empty(), "{program}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(errors.lines().count(), 1, "{program}: {errors}");
        let names_it = errors.starts_with("error: ") && errors.contains("API_SERVER_PORT");
        assert!(names_it, "{program}: {errors}");
    }
}

#[test]
fn an_argument_is_refused_before_anything_is_done() {
    for program in PROGRAMS {
        let output = Command::new(program)
            .env_clear()
            .arg("--help")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{program}");
        assert!(output.stdout.is_empty(), "{program}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains("\"--help\""), "{program}: {errors}");
    }
}
