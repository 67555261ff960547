//! The command line: what it understands, and how its commands end.

mod docker;
mod show;
mod signals;
mod state;
mod wait;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use contrail_core::process::output::{print, print_error};
use contrail_core::process::{logging, panics};
use contrail_core::service_chain::{
    ChainState, Description, Plan, Progress, Result, ServiceChains,
};
use contrail_core::settings::Settings;
use contrail_core::{Error, files};
use serde::Serialize;

/// The name of the program, in its messages.
const PROGRAM: &str = "service-chain";
/// The exit code for a difference, as diff has it, and for a chain that is not built.
const DIFFERS: u8 = 1;
/// The exit code for an error.
const FAILED: u8 = 2;

/// Lets packets between two virtual networks of an OpenContrail go through services, in order.
///
/// FILE describes a chain: its networks, and its services with the containers that do the work. The
/// controller is the one that the plugins' settings name: API_SERVER_IP, OS_AUTH_URL, OS_USERNAME,
/// OS_PASSWORD, OS_TENANT_NAME and the others of the README, or /etc/contrail/vnc_api_lib.ini.
///
/// Exit codes: 0, done, also if `show` has shown a chain that is not applied; 1, the chain is applied
/// and the controller has not built it, as when a member has gone, or `diff` has found a difference; 2,
/// an error. What is built only administrators can read: for others a chain that is applied counts as
/// done.
#[derive(Debug, Parser)]
#[command(name = "service-chain", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the controller have the chain; nothing is written when it has it.
    ///
    /// Then waits until the controller has built the chain, if the error output is a terminal, or
    /// if there was nothing to write and the controller has lost it. One
    /// that stands still half-built for 5 seconds is brought back: first its members leave their port
    /// tuples and join them again; if that does not help, policy, port tuples and service instances
    /// are made again.
    Apply(Apply),
    /// Show every object of the chain and whether it is as it should be, and what the controller has
    /// built.
    Show(Input),
    /// Show what `apply` would change, and end with 1 when that is anything or the chain is not built.
    Diff(Input),
    /// Remove what the chain made; what it did not make stays.
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
    /// The description, as JSON; `-` is standard input.
    file: PathBuf,
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// Runs the command that the arguments of this process ask for.
pub fn main() -> ExitCode {
    panics::log_panics();
    let command = CommandLine::parse().command;
    match run(&command) {
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
    let project = contrail_core::FqName::new([&settings.domain, &settings.project]);
    let chains = ServiceChains::new(settings.client(PROGRAM)?, project);

    let report = report_of(command, &chains, &description)?;
    let text = match (command, input.json) {
        (_, true) => json(&report)?,
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

/// What a command has to tell.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    plan: Plan,
    /// What the controller has built of a chain that is applied, where that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<ChainState>,
}

impl Report {
    /// Whether the chain is applied and not built.
    fn is_unbuilt(&self) -> bool {
        let progress = self.state.as_ref().map(ChainState::progress);
        matches!(progress, Some(Progress::Waiting | Progress::Unbuilt))
    }
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

fn json(report: &Report) -> contrail_core::Result<String> {
    let text = serde_json::to_string_pretty(report).map_err(|source| Error::Encode {
        what: "the report".into(),
        source,
    })?;
    Ok(text + "\n")
}
