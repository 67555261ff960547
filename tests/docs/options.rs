//! The tables of keys, options, commands and exit codes.

use std::process::Command;

use cni_opencontrail::{IPAM_KEYS, Key, NETWORK_KEYS, SERVICE_KEYS};
use cnm_opencontrail::cli::docker_options;
use opencontrail_tests::pages::page;
use opencontrail_tests::plugin::program;

use super::tables::{first_column, names, rows};

/// Compares a table with the names in the code, both ways.
#[track_caller]
fn assert_same(path: &str, header: &str, known: &[&str]) {
    let mut known = known.to_vec();
    known.sort_unstable();
    let page = page(path);
    assert_eq!(names(&page, header), known, "{path}, table of {header}");
}

#[test]
fn the_keys_of_ipam_and_service_are_those_of_the_code() {
    for (header, known) in [
        ("key of `ipam`", IPAM_KEYS),
        ("key of `service`", SERVICE_KEYS),
    ] {
        assert_same("docs/cni.md", header, known);
    }
}

#[test]
fn the_table_of_the_keys_of_networks_is_that_of_the_code() {
    let row = |key: &Key| format!("| `{}` | {} |", key.name, key.help);
    let expected: Vec<String> = NETWORK_KEYS.iter().map(row).collect();
    let page = page("docs/cni.md");
    assert_eq!(
        rows(&page, "key of a network"),
        expected,
        "write this into docs/cni.md:\n{}",
        expected.join("\n")
    );
}

#[test]
fn the_options_of_docker_are_those_of_the_code() {
    for table in docker_options() {
        let page = page("docs/docker.md");
        let listed = names(&page, table.kind);
        let options = table.options.iter();
        let missing: Vec<String> = options
            .filter(|option| !listed.contains(&option.key))
            .map(|option| {
                format!(
                    "| `{}={}` | {} |",
                    option.key, option.example, option.meaning
                )
            })
            .collect();
        let rows = missing.join("\n");
        assert!(
            missing.is_empty(),
            "write this into docs/docker.md:\n{rows}"
        );
        let known: Vec<&str> = table.options.iter().map(|option| option.key).collect();
        assert_same("docs/docker.md", table.kind, &known);
    }
}

/// What a program prints with `--help`.
fn help(name: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program(name));
    let output = command.args(arguments).arg("--help").output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// The commands (`prefix` is empty) or options (`--`) that a section of a help text lists.
fn listed<'a>(help: &'a str, section: &str, prefix: &str) -> Vec<&'a str> {
    let lines = help.lines().skip_while(|line| *line != section).skip(1);
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with(' '));
    let entries = lines.filter_map(|line| {
        let entry = line.trim_start().strip_prefix(prefix)?;
        // Descriptions are further in than names.
        let is_name = line.len() - line.trim_start().len() <= 6;
        let name = &line.trim_start()[..prefix.len() + length(entry)];
        is_name.then_some(name)
    });
    entries
        .filter(|name| !["", "help", "--help", "--version"].contains(name))
        .collect()
}

fn length(name: &str) -> usize {
    let end = |c: char| c.is_whitespace() || matches!(c, '[' | '=' | ',');
    name.find(end).unwrap_or(name.len())
}

#[test]
fn the_commands_are_those_of_the_programs() {
    for (path, name) in [
        ("docs/service-chains.md", "service-chain"),
        ("docs/lab.md", "contrail-lab"),
    ] {
        let help = help(name, &[]);
        assert_same(path, "command", &listed(&help, "Commands:", ""));
    }
}

#[test]
fn the_options_of_service_chain_are_those_of_the_program() {
    let mut known = Vec::new();
    let texts: Vec<String> = ["apply", "show", "diff", "delete"]
        .iter()
        .map(|command| help("service-chain", &[command]))
        .collect();
    for text in &texts {
        known.extend(listed(text, "Options:", "--"));
    }
    known.sort_unstable();
    known.dedup();
    assert_same("docs/service-chains.md", "option | of", &known);
}

#[test]
fn the_exit_codes_are_those_of_the_help_text() {
    let help = help("service-chain", &[]);
    let (_, text) = help.split_once("Exit codes:").unwrap();
    let paragraph = text.split("\n\n").next().unwrap();
    let words = paragraph.split(|c: char| !c.is_alphanumeric());
    let known: Vec<&str> = words.filter(|word| word.parse::<u8>().is_ok()).collect();
    let page = page("docs/service-chains.md");
    assert_eq!(first_column(&page, "exit code"), known);
    assert_eq!(known.len(), 3);
}
