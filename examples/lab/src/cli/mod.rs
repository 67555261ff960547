//! The command line: what it understands, and one file for each command.

mod client;
mod down;
mod fault;
mod log;
mod run_file;
mod status;
mod table;
mod up;
mod vif;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use contrail_core::Result;
use contrail_core::error::report;

use crate::lab::check_name;

/// An OpenContrail on one host, for trying and testing only: configuration API, Keystone, the
/// vRouter agent's port API and a data plane, in one process.
#[derive(Debug, Parser)]
#[command(name = "contrail-lab", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a lab and serve it.
    Up(up::Options),
    /// Stop a lab and remove everything it made; also what a killed lab left.
    Down(Which),
    /// Show a lab's networks and ports, and why a port does not forward.
    Status(Shown),
    /// List a lab's ports with their counters, as `vif --list` of a vRouter does.
    Vif(Shown),
    /// Make a lab's services misbehave.
    Fault(fault::Options),
    /// Show or forget the requests that a lab has served.
    Log(log::Options),
}

/// Which lab a command is for.
#[derive(Clone, Debug, Args)]
struct Which {
    /// The lab's name.
    #[arg(long, default_value = "lab", value_parser = lab_name)]
    name: String,
}

/// What a command shows, and how.
#[derive(Clone, Debug, Args)]
struct Shown {
    #[command(flatten)]
    lab: Which,
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

fn lab_name(text: &str) -> Result<String> {
    check_name(text).map(|()| text.to_owned())
}

/// Runs the command that the arguments of this process ask for.
pub fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let command = CommandLine::parse().command;
    let result = match command {
        Command::Up(options) => up::run(options),
        Command::Down(which) => down::run(&which),
        Command::Status(shown) => status::run(&shown),
        Command::Vif(shown) => vif::run(&shown),
        Command::Fault(options) => fault::run(options),
        Command::Log(options) => log::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            // Nothing helps when not even this can be written.
            let _ = writeln!(io::stderr(), "contrail-lab: {}", report(&e));
            ExitCode::FAILURE
        }
    }
}

/// Writes to standard output. That its reader has gone (`| head`) is no failure.
fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(contrail_core::Error::file("write to", "standard output", e))
        }
        _ => Ok(()),
    }
}

/// Prints a value as JSON for programs.
fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let text =
        serde_json::to_string_pretty(value).map_err(|source| contrail_core::Error::Decode {
            what: "the lab's state".into(),
            source,
        })?;
    print(&format!("{text}\n"))
}
