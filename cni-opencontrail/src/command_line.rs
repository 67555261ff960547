//! The plugin on a command line: help, version, and `clean` for operators.

use std::io::{self, Write};
use std::process::ExitCode;

use contrail_core::error::{Error, quoted};
use contrail_core::settings;

use crate::command::clean;
use crate::config::sources::SettingsSources;
use crate::protocol::version::CniVersion;
use crate::world::World;

/// The exit code for a command line that cannot be understood, as of the other programs.
const MISUSED: u8 = 2;

/// What a command line asks for.
enum Request {
    /// Nothing: whoever runs the plugin by hand learns what it is.
    Nothing,
    Help,
    Version,
    CleanHelp,
    Clean(clean::Request),
}

/// The words that stand for a command, or an option in place of one.
const WORDS: [&str; 6] = ["clean", "help", "--help", "-h", "--version", "-V"];

/// A call from a command line instead of a runtime.
pub fn run(
    arguments: &[String],
    world: &World,
    sources: &SettingsSources,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> ExitCode {
    let request = match parse(arguments) {
        Ok(request) => request,
        Err(reason) => {
            writeln!(stderr, "{reason}\nFor more information, try '--help'.").ok();
            return ExitCode::from(MISUSED);
        }
    };
    let program = "cni-opencontrail";
    match request {
        Request::Nothing => written(write!(stderr, "{}", usage())),
        Request::Help => written(write!(stdout, "{}", usage())),
        Request::Version => {
            let version = env!("CARGO_PKG_VERSION");
            written(writeln!(stdout, "{program} {version}"))
        }
        Request::CleanHelp => written(write!(stdout, "{}", clean::USAGE)),
        Request::Clean(request) => match clean::run(&request, world, sources, stdout) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                writeln!(stderr, "{error}").ok();
                ExitCode::FAILURE
            }
        },
    }
}

fn parse(arguments: &[String]) -> Result<Request, String> {
    let Some((command, rest)) = arguments.split_first() else {
        return Ok(Request::Nothing);
    };
    let is_help = |argument: &String| matches!(argument.as_str(), "--help" | "-h");
    let request = match command.as_str() {
        "clean" if rest.iter().any(is_help) => return Ok(Request::CleanHelp),
        "clean" => {
            let request = clean::Request::parse(rest).map_err(|error: Error| error.to_string())?;
            return Ok(Request::Clean(request));
        }
        "help" | "--help" | "-h" => Request::Help,
        "--version" | "-V" => Request::Version,
        other => {
            let near = settings::nearest(other, WORDS);
            let near = near.map_or_else(String::new, |near| format!(", did you mean {near}?"));
            return Err(format!("unknown command {}{near}", quoted(other)));
        }
    };
    match rest.first() {
        None => Ok(request),
        Some(other) => Err(format!(
            "unexpected argument {} after {command}",
            quoted(other)
        )),
    }
}

fn written(outcome: io::Result<()>) -> ExitCode {
    outcome.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

fn usage() -> String {
    format!(
        "cni-opencontrail {}: CNI plugin that attaches containers to OpenContrail virtual networks.\n\
         Container runtimes run it with CNI_COMMAND and a network configuration on standard input.\n\
         CNI protocol versions supported: {}\n\n{}",
        env!("CARGO_PKG_VERSION"),
        CniVersion::ALL.map(CniVersion::as_str).join(", "),
        clean::USAGE
    )
}
