//! The command line and its sub-commands.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use contrail_core::process;
use contrail_core::process::output::{print, print_error, print_warning};
use contrail_core::settings;

use super::flags::Flags;
use super::remembered::NOTE;
use super::{clean, generate, load, options, ping, serve};
use crate::daemon::PROGRAM;
use crate::error::{Error, Result};

/// What the help says below the flags.
const USAGE: &str = "Without a command, serves the plugin's sockets until SIGTERM or SIGINT.\n\
    Flags take precedence over the environment, then the file, then /etc/contrail/vnc_api_lib.ini;\n\
    `cnm-opencontrail config` shows each value with its origin.";

/// The help of commands that use no settings: the flags, which may follow any command, have no effect there.
const WITHOUT_FLAGS: &str = "{about-with-newline}\n{usage-heading} {usage}\n\n{positionals}\n";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "cnm-opencontrail",
    version,
    about = "Docker network and IPAM driver that joins containers to OpenContrail virtual networks",
    after_help = USAGE,
    after_long_help = format!("{USAGE}\n\n{}", options::help())
)]
pub struct Cli {
    #[command(flatten)]
    pub(super) flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show every setting with its value and origin, and what is missing or refused; secrets are hidden.
    Config,
    /// Show what containers have left behind on this host, and remove it on request.
    ///
    /// Completes the removals that were deferred while the API or the agent was down, and shows those that
    /// are still pending. Shows and records the orphans of this host: VM interfaces of the plugin whose link
    /// no longer exists. Run it in the network namespace of the plugin: in another one, every interface looks
    /// like an orphan.
    Clean(clean::Request),
    /// Check that the running plugin, the API and the vRouter agent answer, for health checks.
    Ping(ping::Request),
    /// Print the completions for a shell.
    #[command(help_template = WITHOUT_FLAGS, override_usage = "cnm-opencontrail completions <SHELL>")]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page.
    #[command(help_template = WITHOUT_FLAGS, override_usage = "cnm-opencontrail man")]
    Man,
}

/// Carries out what the command line says.
pub fn run(cli: Cli) -> ExitCode {
    process::begin();
    let one = |error| vec![error];
    let done = match cli.command {
        None => serve::run(&cli.flags).map_err(one),
        Some(Command::Config) => config(&cli.flags),
        Some(Command::Clean(request)) => clean::run(&cli.flags, &request).map_err(one),
        Some(Command::Ping(request)) => ping::run(&cli.flags, &request).map_err(one),
        Some(Command::Completions { shell }) => {
            show(generate::completions(&mut Cli::command(), shell)).map_err(one)
        }
        Some(Command::Man) => generate::man(Cli::command()).and_then(show).map_err(one),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(errors) => {
            for error in &errors {
                print_error(PROGRAM, error);
            }
            ExitCode::FAILURE
        }
    }
}

/// Shows what is known of the settings, what about them deserves attention, and everything that keeps the
/// plugin from using them.
fn config(flags: &Flags) -> Result<(), Vec<Error>> {
    let shown = load::show(flags);
    let table = format!("{}\n{NOTE}\n", settings::render(&shown.values));
    show(table).map_err(|error| vec![error])?;
    for warning in &shown.warnings {
        print_warning(PROGRAM, warning);
    }
    let problems = shown.problems;
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems),
    }
}

fn show(text: impl AsRef<[u8]>) -> Result<()> {
    Ok(print(text)?)
}
