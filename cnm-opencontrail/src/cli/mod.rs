//! The command line: what it says, and what each sub-command does.

mod clean;
mod flags;
mod generate;
mod load;
mod ping;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use contrail_core::process::output::{print, print_error};
use contrail_core::process::panics::log_panics;
use contrail_core::settings;

use crate::error::Result;

pub use flags::Flags;

/// The name of the program, in its messages.
const PROGRAM: &str = "cnm-opencontrail";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "cnm-opencontrail",
    version,
    about = "Docker network and IPAM driver that joins containers to OpenContrail virtual networks",
    after_help = "If no command is given, it serves the plugin's sockets until it is stopped.\n\
        Flags take precedence over the environment, the environment over the file, and the file over\n\
        /etc/contrail/vnc_api_lib.ini. `cnm-opencontrail config` shows each value with its source."
)]
pub struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show every setting with its value and its source; secrets are hidden.
    Config,
    /// Show what containers have left behind on this host, and remove it on request.
    ///
    /// Completes the removals that were deferred while the API or the agent was down, and shows those that are
    /// still pending. Shows and records the orphans of this host: VM interfaces of the plugin without a link.
    /// Run it in the network namespace of the plugin: in another one, every interface looks like an orphan.
    Clean(clean::Request),
    /// Ask the running plugin whether it answers, for health checks.
    Ping,
    /// Print the completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page.
    Man,
}

/// Carries out what the command line says.
pub fn run(cli: Cli) -> ExitCode {
    log_panics();
    let done = match cli.command {
        None => serve::run(&cli.flags),
        Some(Command::Config) => config(&cli.flags),
        Some(Command::Clean(request)) => clean::run(&cli.flags, &request),
        Some(Command::Ping) => ping::run(&cli.flags),
        Some(Command::Completions { shell }) => show(generate::completions(shell)),
        Some(Command::Man) => generate::man().and_then(show),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(PROGRAM, &error);
            ExitCode::FAILURE
        }
    }
}

fn config(flags: &Flags) -> Result<()> {
    let loaded = load::load(flags)?;
    show(settings::render(loaded.settings.values()))
}

fn show(text: impl AsRef<[u8]>) -> Result<()> {
    Ok(print(text)?)
}
