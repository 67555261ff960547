//! `service-chain`: service chains of OpenContrail from the command line.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
