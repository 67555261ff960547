//! The service chain: its file, and the steps that apply, show and delete it.

use serde_json::Value;

use crate::failure::{Failure, expect};
use crate::programs::Programs;
use crate::report::step;

/// The chain file of the steps by hand.
const CHAIN: &str = include_str!("../../../service-chain/chain.json");

/// The chain file with this value for its container.
pub fn with_member(container: Value) -> Result<String, Failure> {
    let mut chain: Value = serde_json::from_str(CHAIN)?;
    chain["services"][0]["members"][0] = container;
    Ok(chain.to_string())
}

/// Applies the chain and waits until it is built.
pub fn apply(programs: &Programs, chain: &str) -> Result<(), Failure> {
    run(programs, &["apply", "--wait"], chain, true)
}

/// Deletes the chain.
pub fn delete(programs: &Programs, chain: &str) -> Result<(), Failure> {
    run(programs, &["delete"], chain, false)
}

/// Runs a command, then checks the state of the chain in the lab.
fn run(programs: &Programs, command: &[&str], chain: &str, is_up: bool) -> Result<(), Failure> {
    let title = format!("service-chain {} chain.json", command.join(" "));
    step(&title, || {
        let output = programs.service_chain(command, chain)?;
        let status = programs.status()?;
        let found = status["chains"].as_array().is_some_and(|chains| {
            !chains.is_empty() && chains.iter().all(|chain| chain["up"] == true)
        });
        expect("whether the chain is up in the lab", found, is_up)?;
        let changes = output.lines().filter(|line| !is_verdict(line)).count();
        Ok(((), vec![format!("{changes} changes")]))
    })
}

/// Whether a line is about the whole chain, not about a change.
fn is_verdict(line: &str) -> bool {
    line.starts_with("chain ")
}

/// Checks that no leg of these services is built, and that `show` reports it.
pub fn is_not_built(programs: &Programs, chain: &str, services: &[&str]) -> Result<(), Failure> {
    step("service-chain show chain.json", || {
        let (code, shown) = programs.show_chain(chain)?;
        expect("exit code", code, Some(1))?;
        let mut lines = Vec::new();
        for service in services {
            let broken = broken_legs(&shown, service);
            expect(
                format!("legs of {service} that are not built"),
                broken.len(),
                2,
            )?;
            lines.extend(broken);
        }
        lines.extend(shown.lines().last().map(str::to_owned));
        Ok(((), lines))
    })
}

/// The legs of a service that are not built, with the first reason for each.
fn broken_legs(shown: &str, service: &str) -> Vec<String> {
    let leg = format!("leg default-domain:admin:{service} ");
    let legs = shown.lines().filter(|line| line.starts_with(&leg));
    let broken = legs.filter(|line| line.contains(": not built: "));
    let short = broken.filter_map(|line| line.split(';').next());
    short.map(str::to_owned).collect()
}
