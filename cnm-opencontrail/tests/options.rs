//! The options of Docker's commands in the help.

#![allow(clippy::unwrap_used)] // all of it is a test

use std::process::Command;

use cnm_opencontrail::cli::docker_options;

#[test]
fn the_help_explains_every_option_with_an_example() {
    let program = env!("CARGO_BIN_EXE_cnm-opencontrail");
    let output = Command::new(program).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for table in docker_options() {
        assert!(help.contains(&format!("\n{}:\n", table.command)), "{help}");
        for option in table.options {
            let given = format!("  {}={} ", option.key, option.example);
            let mut lines = help.lines();
            let line =
                lines.find(|line| line.starts_with(&given) && line.ends_with(option.meaning));
            assert!(line.is_some(), "{given}: {help}");
        }
    }
    let output = Command::new(program).arg("-h").output().unwrap();
    let short = String::from_utf8(output.stdout).unwrap();
    assert!(!short.contains("--ipam-opt"), "{short}");
}
