//! The command line: what it understands, and how its commands end.

mod docker;
mod settings;
mod show;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use contrail_core::error::report;
use contrail_core::output::print;
use contrail_core::service_chain::{Description, Plan, ServiceChains};
use contrail_core::{Error, Result, files};

/// The exit code for a difference, as diff has it.
const DIFFERS: u8 = 1;
/// The exit code for an error.
const FAILED: u8 = 2;

/// Lets packets between two virtual networks of an OpenContrail go through services, in order.
///
/// FILE describes a chain: its networks, and its services with the containers that do the work. The
/// controller is the one that the plugins' settings name: API_SERVER_IP, OS_AUTH_URL, OS_USERNAME,
/// OS_PASSWORD, OS_TENANT_NAME and the others of the README, or /etc/contrail/vnc_api_lib.ini.
///
/// Exit codes: 0, done, whatever `show` has shown; 1, `diff` has found a difference; 2, an error.
#[derive(Debug, Parser)]
#[command(name = "service-chain", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the controller have the chain; nothing is written when it has it.
    Apply(Input),
    /// Show every object of the chain and whether it is as it should be.
    Show(Input),
    /// Show what `apply` would change, and end with 1 when that is anything.
    Diff(Input),
    /// Remove what the chain made; what it did not make stays.
    Delete(Input),
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
    let command = CommandLine::parse().command;
    match run(&command) {
        Ok(code) => code,
        Err(error) => {
            // Nothing helps when not even this can be written.
            let _ = writeln!(io::stderr(), "service-chain: {}", report(&error));
            ExitCode::from(FAILED)
        }
    }
}

fn run(command: &Command) -> Result<ExitCode> {
    let (Command::Apply(input)
    | Command::Show(input)
    | Command::Diff(input)
    | Command::Delete(input)) = command;
    let mut description = read(&input.file)?;
    let settings = settings::load()?;
    let level = settings.log.level;
    env_logger::Builder::new().filter_level(level).init();
    docker::resolve(&mut description, &settings.node)?;
    let project = contrail_core::FqName::new([&settings.domain, &settings.project]);
    let chains = ServiceChains::new(settings.client("service-chain")?, project);

    let plan = match command {
        Command::Apply(_) => chains.apply(&description)?,
        Command::Show(_) | Command::Diff(_) => chains.diff(&description)?,
        Command::Delete(_) => chains.delete(&description)?,
    };
    let text = match (command, input.json) {
        (_, true) => json(&plan)?,
        (Command::Show(_), false) => show::objects(&plan),
        (Command::Diff(_), false) => show::difference(&plan),
        (Command::Apply(_) | Command::Delete(_), false) => show::done(&plan),
    };
    print(&text)?;
    Ok(match command {
        Command::Diff(_) if !plan.is_complete() => ExitCode::from(DIFFERS),
        _ => ExitCode::SUCCESS,
    })
}

fn read(path: &Path) -> Result<Description> {
    if path == Path::new("-") {
        let text = io::read_to_string(io::stdin());
        let text = text.map_err(|e| Error::file("read", "standard input", e))?;
        return Description::read(&text, "standard input");
    }
    let text = files::read_text(path).map_err(|e| Error::file("read", path, e))?;
    Description::read(&text, &path.display().to_string())
}

fn json(plan: &Plan) -> Result<String> {
    let text = serde_json::to_string_pretty(plan).map_err(|source| Error::Decode {
        what: "the plan".into(),
        source,
    })?;
    Ok(text + "\n")
}
