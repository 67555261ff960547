//! The command line and its exit codes.

mod docker;
mod report;
mod show;
mod signals;
mod state;
mod wait;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use contrail_core::process::output::{self, print, print_error};
use contrail_core::process::{self, logging};
use contrail_core::service_chain::{Description, Result, ServiceChains};
use contrail_core::settings::Settings;
use contrail_core::{Error, files};

use self::report::Report;

/// The name of the program, in its messages.
const PROGRAM: &str = "service-chain";
/// The exit code for a difference, as of `diff`, and for a chain that is not built.
const DIFFERS: u8 = 1;
/// The exit code for an error.
const FAILED: u8 = 2;

/// Sends the packets between two virtual networks of OpenContrail through a chain of services.
///
/// FILE describes a chain: its networks, and its services with their member containers. The controller
/// is set as for the plugins: by API_SERVER_IP, OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_TENANT_NAME and
/// other variables, or in /etc/contrail/vnc_api_lib.ini.
///
/// Exit codes: 0, success, also if `show` shows a chain that is not applied; 1, the chain is applied but
/// the controller has not built it, for example because a member was removed, or `diff` found a
/// difference; 2, error. Only administrators can read what the controller has built: for other users, an
/// applied chain counts as success.
#[derive(Debug, Parser)]
#[command(name = "service-chain", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create the chain or the missing part of it; if nothing is missing, nothing is written.
    ///
    /// Then waits until the controller has built the chain, if standard error is a terminal, or if
    /// there was nothing to write but the controller has lost the chain. A chain that makes no progress
    /// for 5 seconds is repaired: first its members leave their port tuples and join them again; if that
    /// does not help, the policy, port tuples and service instances are recreated.
    Apply(Apply),
    /// Show the objects of the chain with their states, and what the controller has built.
    Show(Input),
    /// Show what `apply` would change; exit with 1 if there are changes or the chain is not built.
    Diff(Input),
    /// Remove the objects that the chain created; others remain.
    Delete(Input),
}

#[derive(Debug, clap::Args)]
struct Apply {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    wait: wait::Options,
}

#[derive(Debug, clap::Args)]
struct Input {
    /// The description of the chain in JSON; `-` for standard input.
    file: PathBuf,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command in the arguments of this process.
pub fn main() -> ExitCode {
    process::begin();
    let line = CommandLine::try_parse().unwrap_or_else(|error| match error.use_stderr() {
        true => output::refuse_usage(&error, error.exit_code()),
        false => error.exit(),
    });
    match run(&line.command) {
        Ok(code) => code,
        Err(error) => {
            print_error(PROGRAM, &error);
            ExitCode::from(FAILED)
        }
    }
}

fn run(command: &Command) -> Result<ExitCode> {
    let (Command::Apply(Apply { input, .. })
    | Command::Show(input)
    | Command::Diff(input)
    | Command::Delete(input)) = command;
    let mut description = read(&input.file)?;
    let settings = Settings::from_env()?;
    logging::start(PROGRAM, &settings.log);
    docker::resolve(&mut description, &settings.node)?;
    let project = settings.project_name();
    let chains = ServiceChains::new(settings.client(PROGRAM)?, project);

    let report = report_of(command, &chains, &description)?;
    let text = match (command, input.json) {
        (_, true) => report.json()?,
        (Command::Show(_), false) => show::objects(&report),
        (Command::Diff(_), false) => show::difference(&report),
        (Command::Apply(_) | Command::Delete(_), false) => show::done(&report),
    };
    print(&text)?;
    let differs = matches!(command, Command::Diff(_)) && !report.plan.is_complete();
    Ok(match differs || report.is_unbuilt() {
        true => ExitCode::from(DIFFERS),
        false => ExitCode::SUCCESS,
    })
}

fn report_of(
    command: &Command,
    chains: &ServiceChains,
    description: &Description,
) -> Result<Report> {
    let (plan, state) = match command {
        Command::Apply(Apply { wait, .. }) => {
            let plan = chains.apply(description)?;
            let state = wait::after(&plan, chains, description, wait)?;
            (plan, state)
        }
        Command::Show(_) | Command::Diff(_) => {
            let plan = chains.diff(description)?;
            let state = plan.has_begun().then(|| chains.built(description));
            (plan, state.transpose()?)
        }
        Command::Delete(_) => (chains.delete(description)?, None),
    };
    Ok(Report { plan, state })
}

fn read(path: &Path) -> Result<Description> {
    if path == Path::new("-") {
        let text = io::read_to_string(io::stdin());
        let text = text.map_err(|e| Error::system("read standard input", e))?;
        return Ok(Description::read(&text, "standard input")?);
    }
    let text = files::read_text(path).map_err(|e| Error::file("read", path, e))?;
    Ok(Description::read(&text, &path.display().to_string())?)
}
