//! `cargo demo`: the main job on one machine, in a sandbox that leaves nothing behind.

mod failure;
mod programs;
mod report;
mod story;

use std::process::ExitCode;

use contrail_lab::sandbox;
use failure::Failure;
use programs::Programs;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\ndemo failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Failure> {
    if !sandbox::inside() {
        programs::build()?;
    }
    if let Some(code) = sandbox::reexec_if_needed()? {
        return Ok(code);
    }
    story::tell(&Programs::beside_this_one()?)?;
    Ok(ExitCode::SUCCESS)
}
