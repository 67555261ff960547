//! `cargo demo`: the main job on one machine, in a sandbox that leaves nothing behind.

mod chain;
mod cni;
mod containers;
mod daemon;
mod docker;
mod failure;
mod member;
mod path;
mod picture;
mod programs;
mod report;
mod restarts;
mod stand_in;
mod story;
mod svg;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use contrail_core::Error;
use contrail_lab::sandbox::{self, ControlGroups};
use failure::Failure;
use programs::Programs;

/// A service chain of a Docker container and a network namespace, from nothing to nothing, with every
/// step checked. It runs in namespaces of its own.
#[derive(Parser)]
#[command(name = "cargo demo", version)]
struct Options {
    /// What the Docker members are [default: containers where an engine can be started].
    #[arg(long, value_enum, value_name = "KIND")]
    members: Option<Members>,
    /// Draw the networks, the members and the path of the packets into this file, which must not be
    /// below /run: the demo has one of its own.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Members {
    /// Containers of a Docker engine that the demo starts for itself; needs root.
    Docker,
    /// Network namespaces, with the same calls of the Docker plugin's socket.
    Namespaces,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\ndemo failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<ExitCode, Failure> {
    if !sandbox::inside() {
        programs::build()?;
    }
    let groups = ControlGroups::new("opencontrail-demo");
    if let Some(code) = sandbox::reexec_if_needed()? {
        return Ok(code);
    }
    let programs = Programs::beside_this_one()?;
    let drawing = story::tell(&programs, &groups, options.members)?;
    if let Some(file) = &options.svg {
        std::fs::write(file, drawing).map_err(|error| Error::file("write", file, error))?;
        report::say(&format!("drawn in {}", file.display()));
    }
    Ok(ExitCode::SUCCESS)
}
