//! The options of Docker's commands: the help and the documentation have all of them.

#![allow(clippy::unwrap_used)] // all of it is a test

use std::path::{Path, PathBuf};
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

/// The Markdown files below a directory, and those in it.
fn markdown(directory: &Path, deep: bool) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true if deep => markdown(&path, deep),
            true => Vec::new(),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

#[test]
fn a_table_of_the_documentation_has_every_option() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = markdown(&root, false);
    let files = files.into_iter().chain(markdown(&root.join("docs"), true));
    let text: String = files
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    for table in docker_options() {
        for option in table.options {
            let forms = ["`", "="].map(|end| format!("`{}{end}", option.key));
            let mut rows = text.lines().filter(|line| line.starts_with('|'));
            assert!(
                rows.any(|row| forms.iter().any(|form| row.contains(form))),
                "{} {} is in no table",
                table.command,
                option.key
            );
        }
    }
}
