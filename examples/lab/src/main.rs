//! The `contrail-lab` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    contrail_lab::cli::main()
}
