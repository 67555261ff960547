//! The CNI plugin binary: hands the outside world to the library and exits with its code.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use cni_opencontrail::interrupts::Signals;
use cni_opencontrail::skel::Environment;
use cni_opencontrail::{World, backend, run, stdin};
use contrail_core::process::{logging, panics};

fn main() -> ExitCode {
    panics::log_panics();
    let text = |text: OsString| text.to_string_lossy().into_owned();
    let variables = std::env::vars_os();
    run(World {
        arguments: std::env::args_os().skip(1).map(text).collect(),
        environment: Environment::new(variables.map(|(name, value)| (text(name), text(value)))),
        stdin: &mut stdin::Until::new(&io::stdin(), stdin::TIME),
        stdout: &mut io::stdout().lock(),
        stderr: &mut io::stderr(),
        read_file: &contrail_core::files::read_text,
        connect: &backend::connect,
        start_log: &|settings| logging::start("cni-opencontrail", settings),
        interrupts: &Signals::default(),
    })
}
