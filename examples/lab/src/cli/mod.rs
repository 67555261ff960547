//! The command line: what it understands, and one file for each command.

mod client;
mod docker;
mod down;
mod error;
mod fault;
mod log;
mod options;
mod print;
mod run_dir;
mod run_file;
mod status;
mod table;
mod trace;
mod up;
mod vif;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use contrail_core::process::{self, logging, output};
use contrail_core::settings::Sources;

use self::options::{Shown, Which};

/// The name of the program, in its messages.
const PROGRAM: &str = "contrail-lab";

/// The exit code of a command that failed, as of one whose arguments are wrong.
const FAILED: u8 = 2;

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
    /// Stop a lab and remove everything it made, or what a killed lab left. The port files of
    /// containers that are still attached stay for the next lab.
    Down(Which),
    /// Show a lab's networks and ports, and why a port does not forward.
    Status(Shown),
    /// List a lab's ports with their counters, as `vif --list` of a vRouter does.
    Vif(Shown),
    /// Show the path of a packet from one container to another, hop by hop, or why it is dropped.
    ///
    /// The exit code is 0 if the packet arrives, 1 if it is dropped and 2 if the path is not known.
    Trace(trace::Options),
    /// Make a lab's services misbehave.
    Fault(fault::Options),
    /// Show or forget the requests that a lab has served.
    ///
    /// Requests to the configuration API, Keystone and the agent count; those of these commands to the
    /// lab itself do not. The serial depth is the least number of requests, to all three together, that
    /// waited for the one before: the round trips of a client.
    Log(log::Options),
}

/// Runs the command that the arguments of this process ask for.
pub fn main() -> ExitCode {
    process::begin();
    logging::start(PROGRAM, &Sources::of_process().log_settings());
    let line = CommandLine::try_parse().unwrap_or_else(|error| match error.use_stderr() {
        true => output::refuse_usage(&error, error.exit_code()),
        false => error.exit(),
    });
    let done = |()| ExitCode::SUCCESS;
    let result = match line.command {
        Command::Up(options) => up::run(options),
        Command::Down(which) => down::run(&which).map(done),
        Command::Status(shown) => status::run(&shown).map(done),
        Command::Vif(shown) => vif::run(&shown).map(done),
        Command::Trace(options) => trace::run(options),
        Command::Fault(options) => fault::run(options).map(done),
        Command::Log(options) => log::run(&options).map(done),
    };
    match result {
        Ok(code) => code,
        Err(e) => {
            output::print_error(PROGRAM, &e);
            ExitCode::from(FAILED)
        }
    }
}
