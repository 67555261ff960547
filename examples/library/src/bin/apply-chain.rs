//! Applies the service chain of `chain.json` and waits until the controller has built it. It may be
//! repeated.

#![allow(clippy::print_stdout)] // a program for a terminal

use std::process::ExitCode;
use std::time::Duration;

use contrail_core::service_chain::{Description, Error, Result, ServiceChains};
use contrail_core::settings::Settings;
use library_examples::{CHAIN, PROGRAM, exit_code};

/// How long the controller may take.
const LIMIT: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    exit_code(run)
}

fn run() -> Result<()> {
    let settings = Settings::from_env()?;
    let chains = ServiceChains::new(settings.client(PROGRAM)?, settings.project_name());
    let description = Description::read(CHAIN, "chain.json")?;

    // What is in the way of the chain is data; nothing was written then.
    let plan = chains.apply(&description).inspect_err(|error| {
        if let Error::Impossible { problems, .. } = error {
            eprintln!("{} problems", problems.len());
        }
    })?;
    for change in &plan.changes {
        println!("{change}");
    }

    let state = chains.bring_up(&description, LIMIT, |_| {})?;
    for leg in &state.legs {
        println!("{leg}");
    }
    match state.is_built() {
        true => println!("chain {}: built", description.name),
        false => println!("chain {}: not built yet", description.name),
    }
    Ok(())
}
