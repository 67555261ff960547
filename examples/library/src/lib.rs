//! What the five programs share: the names of what they make, and how they end.

use std::env;
use std::error::Error;
use std::process::ExitCode;

use contrail_core::error::report;

/// The name of the programs: in the API's audit log, and in the marks of the objects that attaching makes.
pub const PROGRAM: &str = "library-examples";
/// The network that `create-port` makes; the left one of the chain.
pub const LEFT: &str = "example-left";
/// The network that is made when the namespace is attached; the right one of the chain.
pub const RIGHT: &str = "example-right";
/// The port that `create-port` makes.
pub const PORT: &str = "example-port";
/// The network namespace, in `/run/netns`; also the id of the container that it is.
pub const NAMESPACE: &str = "example-fw";
/// The service chain.
pub const CHAIN: &str = include_str!("../chain.json");

/// Runs a program, which takes no arguments. Prints an error with all its causes in one line, and makes
/// the program fail.
pub fn exit_code<E: Into<Box<dyn Error>>>(run: impl FnOnce() -> Result<(), E>) -> ExitCode {
    if let Some(argument) = env::args_os().nth(1) {
        eprintln!(
            "error: unexpected argument {argument:?}: the settings are environment variables, see \
             examples/library/README.md"
        );
        return ExitCode::from(2);
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", report(error.into().as_ref()));
            ExitCode::FAILURE
        }
    }
}
