//! The walk-through (`cargo demo`): a service chain on one host, in a sandbox that leaves nothing behind.

mod failure;
mod members;
mod options;
mod path;
mod programs;
mod report;
mod story;

use std::process::ExitCode;

use contrail_core::Error;
use contrail_lab::sandbox::{self, ControlGroups};
use failure::Failure;
use options::Options;
use programs::Programs;

fn main() -> ExitCode {
    match run(&Options::checked()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\ndemo failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<ExitCode, Failure> {
    let programs = Programs::beside_this_one()?;
    // Not in the sandbox: it has no network from which cargo could fetch crates.
    if !sandbox::inside() {
        programs.build(options.members)?;
    }
    let groups = ControlGroups::new("opencontrail-demo");
    if let Some(code) = sandbox::reexec_if_needed()? {
        return Ok(code);
    }
    let path = story::tell(&programs, &groups, options.members)?;
    if let Some(file) = &options.svg {
        let drawing = path::draw(&path, file);
        std::fs::write(file, drawing).map_err(|error| Error::file("write", file, error))?;
        report::say(&format!("drawn in {}", file.display()));
    }
    Ok(ExitCode::SUCCESS)
}
