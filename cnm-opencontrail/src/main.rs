//! The Docker plugin binary: hands the command line to the library and exits with its code.

use std::process::ExitCode;

use clap::Parser as _;
use cnm_opencontrail::cli::{self, Cli};
use contrail_core::process::output;

fn main() -> ExitCode {
    let command_line = Cli::try_parse().unwrap_or_else(|error| match error.use_stderr() {
        true => output::refuse_usage(&error, error.exit_code()),
        false => error.exit(),
    });
    cli::run(command_line)
}
