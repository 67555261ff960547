//! The plugin on a command line: help, version, and `clean` for operators.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::command::clean;
use crate::config::sources::SettingsSources;
use crate::protocol::version::CniVersion;
use crate::world::World;

/// A call from a command line instead of a runtime.
pub fn run(
    arguments: &[String],
    world: &World,
    sources: &SettingsSources,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> ExitCode {
    match arguments {
        [command, arguments @ ..] if command == "clean" => {
            match clean::run(arguments, world, sources, stdout) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    writeln!(stderr, "{error}").ok();
                    ExitCode::FAILURE
                }
            }
        }
        [] => written(write!(stderr, "{}", usage())),
        [help] if matches!(help.as_str(), "help" | "--help" | "-h") => {
            written(write!(stdout, "{}", usage()))
        }
        [version] if matches!(version.as_str(), "--version" | "-V") => written(writeln!(
            stdout,
            "cni-opencontrail {}",
            env!("CARGO_PKG_VERSION")
        )),
        _ => {
            write!(stderr, "{}", usage()).ok();
            ExitCode::FAILURE
        }
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
