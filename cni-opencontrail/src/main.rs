//! The CNI plugin binary: hands the outside world to the library and exits with its code.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use cni_opencontrail::interrupts::Signals;
use cni_opencontrail::protocol::environment::Environment;
use cni_opencontrail::protocol::stdin::{TIME, Until};
use cni_opencontrail::{Streams, World, operations, run};
use contrail_core::process::{self, logging, output};

fn main() -> ExitCode {
    process::begin();
    let text = |text: OsString| text.to_string_lossy().into_owned();
    let arguments: Vec<String> = std::env::args_os().skip(1).map(text).collect();
    let variables = std::env::vars_os();
    let world = World {
        environment: Environment::new(variables.map(|(name, value)| (text(name), text(value)))),
        read_file: &contrail_core::files::read_text,
        connect: &operations::connect,
        start_log: &|settings| logging::start(operations::PROGRAM, settings),
        interrupts: &Signals::default(),
    };
    let stdin = io::stdin();
    let streams = Streams {
        stdin: &mut Until::new(&stdin, TIME),
        stdout: &mut io::stdout().lock(),
        stderr: &mut output::stderr(),
    };
    run(&arguments, &world, streams)
}
