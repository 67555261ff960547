//! The Docker plugin binary: hands the command line to the library and exits with its code.

use std::process::ExitCode;

use clap::Parser as _;
use cnm_opencontrail::cli::{self, Cli};

fn main() -> ExitCode {
    cli::run(Cli::parse())
}
