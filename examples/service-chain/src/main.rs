//! `service-chain`: service chains of an OpenContrail from the command line.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
