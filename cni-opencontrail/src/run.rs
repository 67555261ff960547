//! From the start of the process to its exit code.

use std::any::Any;
use std::io::{self, ErrorKind, Read, Write};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use crate::call::Call;
use crate::command::{add, check, del, gc, status};
use crate::command_line;
use crate::config::sources::SettingsSources;
use crate::protocol::answer;
use crate::protocol::command::Command;
use crate::protocol::error::CniError;
use crate::protocol::version::CniVersion;
use crate::world::{Streams, World};

/// Why a call fails.
enum Failure {
    /// The runtime gets an error.
    Refused(CniError),
    /// The runtime does not get the result.
    Unwritten(io::Error),
}

impl From<CniError> for Failure {
    fn from(error: CniError) -> Self {
        Self::Refused(error)
    }
}

/// Serves one call: one JSON value or nothing on standard output, written once at the end. Without
/// `CNI_COMMAND`, `arguments` (without the program's name) are those of a command line.
pub fn run(arguments: &[String], world: &World, streams: Streams) -> ExitCode {
    let Streams {
        stdin,
        stdout,
        stderr,
    } = streams;
    let sources = SettingsSources::new(&world.environment, world.read_file);
    let Some(command) = world.environment.get("CNI_COMMAND") else {
        return command_line::run(arguments, world, &sources, stdout, stderr);
    };
    let mut version = None;
    let served = panic::catch_unwind(AssertUnwindSafe(|| {
        serve(command, world, &sources, stdin, stdout, &mut version)
    }));
    let served = served.unwrap_or_else(|panic| Err(defect(panic.as_ref()).into()));
    let unwritten = match served {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Unwritten(error)) => Err(error),
        Err(Failure::Refused(error)) => {
            (world.start_log)(&sources.log());
            log::error!("{error}");
            write_once(stdout, &error.to_json(version))
        }
    };
    match unwritten {
        // The reader is gone: no other process would read the message.
        Err(e) if e.kind() == ErrorKind::BrokenPipe => {}
        Err(e) => {
            writeln!(stderr, "cannot write the result: {e}").ok();
        }
        Ok(()) => {}
    }
    ExitCode::FAILURE
}

/// Reads the call, runs its command and writes the result.
fn serve<'a>(
    command: &str,
    world: &'a World<'a>,
    sources: &'a SettingsSources<'a>,
    stdin: &mut dyn Read,
    stdout: &mut dyn Write,
    version: &mut Option<CniVersion>,
) -> Result<(), Failure> {
    let command = Command::parse(command)?;
    if command == Command::Version {
        return write_once(stdout, &answer::versions()).map_err(Failure::Unwritten);
    }
    let call = Call::read(command, world, sources, stdin, version)?;
    let Some(result) = result(&call)? else {
        return Ok(());
    };
    write_once(stdout, &result).map_err(|error| {
        // The runtime does not know of the attachment, so it must not remain.
        if let Err(error) = del::run(&call) {
            log::error!("{error}");
        }
        Failure::Unwritten(error)
    })
}

/// Runs the command. Only ADD has a result.
fn result(call: &Call) -> Result<Option<String>, CniError> {
    match call.command {
        Command::Add => add::run(call).map(Some),
        Command::Del => del::run(call).map(|()| None),
        Command::Check => check::run(call).map(|()| None),
        Command::Gc => gc::run(call).map(|()| None),
        Command::Status => status::run(call).map(|()| None),
        Command::Version => Ok(None),
    }
}

fn defect(panic: &dyn Any) -> CniError {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    CniError::new(
        CniError::INTERNAL,
        format!("panic: {}", text.unwrap_or("no message")),
    )
    .with("this is a defect of the plugin; its log says where")
}

fn write_once(stdout: &mut dyn Write, answer: &str) -> io::Result<()> {
    let text = format!("{answer}\n");
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
