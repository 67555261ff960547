//! The walk-through's chain: described, applied, looked at and deleted.

use serde_json::Value;

use crate::failure::{Failure, expect};
use crate::programs::Programs;
use crate::report::step;

/// The walk-through's own file.
const CHAIN: &str = include_str!("../../chain.json");

/// The file with its container named in this way.
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

/// Runs a command; the lab answers when the kernel has followed.
fn run(programs: &Programs, command: &[&str], chain: &str, is_up: bool) -> Result<(), Failure> {
    let title = format!("service-chain {} chain.json", command.join(" "));
    step(&title, || {
        let said = programs.service_chain(command, chain)?;
        let status = programs.status()?;
        let found = status["chains"].as_array().is_some_and(|chains| {
            !chains.is_empty() && chains.iter().all(|chain| chain["up"] == true)
        });
        expect("that the lab has the chain up", found, is_up)?;
        let changes = said.lines().filter(|line| !is_verdict(line)).count();
        Ok(((), vec![format!("{changes} changes")]))
    })
}

/// Whether a line is about the chain as a whole, and not about a change.
fn is_verdict(line: &str) -> bool {
    line.starts_with("chain ")
}

/// Holds when no leg of these services is built, and the command says so.
pub fn is_not_built(programs: &Programs, chain: &str, services: &[&str]) -> Result<(), Failure> {
    step("service-chain show chain.json", || {
        let (code, shown) = programs.show_chain(chain)?;
        expect("how it ends", code, Some(1))?;
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

/// The legs of a service that are not built, with the first thing that each lacks.
fn broken_legs(shown: &str, service: &str) -> Vec<String> {
    let leg = format!("leg default-domain:admin:{service} ");
    let legs = shown.lines().filter(|line| line.starts_with(&leg));
    let broken = legs.filter(|line| line.contains(": not built: "));
    let short = broken.filter_map(|line| line.split(';').next());
    short.map(str::to_owned).collect()
}
