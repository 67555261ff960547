//! The CNI plugin `opencontrail`: attaches network namespaces to OpenContrail virtual networks.
//!
//! [`run`] serves one call. The whole outside world is handed to it as a [`World`], so that tests
//! drive it with a map, byte buffers and a recording backend.

mod add;
pub mod backend;
mod check;
mod clean;
mod cni_args;
mod del;
pub mod error;
mod gc;
pub mod interrupts;
mod ipam;
mod json;
mod netconf;
mod plan;
pub mod result;
mod service;
pub mod skel;
mod status;
pub mod stdin;
pub mod version;
mod wishes;

use std::any::Any;
use std::io::{self, ErrorKind, Read, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use contrail_core::attach;
use contrail_core::settings::{Layer, LogSettings, Settings, Sources, host_name};
use serde_json::Value;

use backend::Backend;
use error::CniError;
use interrupts::Interrupts;
use netconf::Config;
use plan::Planned;
use skel::{Args, Command, Environment};
use version::CniVersion;

pub use ipam::KEYS as IPAM_KEYS;
pub use netconf::KEYS as NETWORK_KEYS;
pub use service::KEYS as SERVICE_KEYS;

/// What one call sees of the outside.
pub struct World<'a> {
    /// The arguments, without the program's name. Runtimes give none; they count without `CNI_COMMAND`.
    pub arguments: Vec<String>,
    /// The environment variables.
    pub environment: Environment,
    /// The configuration comes from here.
    pub stdin: &'a mut dyn Read,
    /// The result, and nothing else, goes here in one piece.
    pub stdout: &'a mut dyn Write,
    /// Explanations for people go here.
    pub stderr: &'a mut dyn Write,
    /// Reads a file.
    pub read_file: &'a dyn Fn(&Path) -> io::Result<String>,
    /// Makes the connection that settings describe.
    pub connect: &'a Connect,
    /// Starts logging; only the first call of it counts.
    pub start_log: &'a dyn Fn(&LogSettings),
    /// Tells whether the caller has given up.
    pub interrupts: &'a dyn Interrupts,
}

/// Makes the connection that settings describe.
pub type Connect = dyn Fn(&Settings) -> contrail_core::Result<Box<dyn Backend>>;

/// What the commands need of the world.
struct Surroundings<'a> {
    environment: Environment,
    read_file: &'a dyn Fn(&Path) -> io::Result<String>,
    connect: &'a Connect,
    start_log: &'a dyn Fn(&LogSettings),
    interrupts: &'a dyn Interrupts,
    started: Instant,
}

impl Surroundings<'_> {
    /// Makes the connection of networks that share one. Each gets the time that earlier ones have left
    /// of the whole call's.
    fn connect(&self, planned: &Planned) -> attach::Result<Box<dyn Backend>> {
        let mut settings = planned.settings.clone();
        let timeout = &mut settings.timeouts.attach;
        *timeout = timeout.saturating_sub(self.started.elapsed());
        Ok((self.connect)(&settings)?)
    }

    fn settings(&self, nearer: Vec<Layer>) -> Result<Settings, CniError> {
        self.with_sources(nearer, Settings::load)
            .map_err(Into::into)
    }

    fn with_sources<T>(&self, nearer: Vec<Layer>, use_them: impl Fn(&Sources) -> T) -> T {
        use_them(&Sources {
            nearer,
            environment: &|name| self.environment.get(name).map(str::to_string),
            files: Vec::new(),
            read: self.read_file,
            host_name: host_name(self.read_file),
        })
    }

    fn start_log(&self, planned: &[Planned]) {
        if let Some(first) = planned.first() {
            (self.start_log)(&first.settings.log);
        }
    }
}

/// What a call ends with.
enum Answer {
    Json(Value),
    /// What ADD has made, and what it was asked: for a DEL if the result cannot be written.
    Attached(Value, Box<(Args, Config)>),
    Nothing,
}

/// Serves one call: one JSON value or nothing on standard output, written once at the end.
pub fn run(world: World) -> ExitCode {
    let World {
        arguments,
        environment,
        stdin,
        stdout,
        stderr,
        read_file,
        connect,
        start_log,
        interrupts,
    } = world;
    let surroundings = Surroundings {
        environment,
        read_file,
        connect,
        start_log,
        interrupts,
        started: Instant::now(),
    };
    if surroundings.environment.get("CNI_COMMAND").is_none() {
        return serve_people(&arguments, &surroundings, stdout, stderr);
    }
    let mut version = None;
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        answer(&surroundings, stdin, &mut version)
    }));
    let outcome = outcome.unwrap_or_else(|panic| Err(defect(panic.as_ref())));
    let written = match &outcome {
        Ok(Answer::Nothing) => Ok(()),
        Ok(Answer::Json(value)) => write_once(stdout, value),
        Ok(Answer::Attached(value, request)) => write_once(stdout, value).inspect_err(|_| {
            // Nobody learns of it, so it must not be there.
            let (args, config) = request.as_ref();
            if let Err(error) = del::run(args, config, &surroundings) {
                log::error!("{error}");
            }
        }),
        Err(error) => {
            start_log(&surroundings.with_sources(Vec::new(), |sources| sources.log_settings()));
            log::error!("{error}");
            write_once(stdout, &error.to_json(version))
        }
    };
    match (outcome, written) {
        (Ok(_), Ok(())) => ExitCode::SUCCESS,
        // The reader is gone: there is nobody to tell.
        (_, Err(e)) if e.kind() == ErrorKind::BrokenPipe => ExitCode::FAILURE,
        (_, Err(e)) => {
            writeln!(stderr, "cannot write the result: {e}").ok();
            ExitCode::FAILURE
        }
        (Err(_), Ok(())) => ExitCode::FAILURE,
    }
}

/// Checks in the protocol's order (environment, input, JSON, name, version) and runs the command.
/// `version` becomes that of the configuration as soon as it is known.
fn answer(
    surroundings: &Surroundings,
    stdin: &mut dyn Read,
    version: &mut Option<CniVersion>,
) -> Result<Answer, CniError> {
    let environment = &surroundings.environment;
    let command = Command::parse(environment.get("CNI_COMMAND").unwrap_or_default())?;
    if command == Command::Version {
        return Ok(Answer::Json(version::answer()));
    }
    let strict = match Args::read(command, environment) {
        Err(error) if !Args::may_be_for_list(command, environment) => return Err(error),
        strict => strict,
    };
    let object = netconf::decode(&read_all(stdin)?);
    let args = match &object {
        Ok(object) if netconf::is_list(object) => Args::read_for_list(command, environment)?,
        _ => strict?,
    };
    let config = Config::read(object?)?;
    *version = Some(config.version);
    if config.version < command.since() {
        return Err(no_such_command(command, config.version));
    }
    match command {
        Command::Add => {
            let result = add::run(&args, &config, surroundings)?;
            Ok(Answer::Attached(result, Box::new((args, config))))
        }
        Command::Del => del::run(&args, &config, surroundings).map(|()| Answer::Nothing),
        Command::Check => check::run(&args, &config, surroundings).map(|()| Answer::Nothing),
        Command::Gc => gc::run(&args, &config, surroundings).map(|()| Answer::Nothing),
        Command::Status => status::run(&args, &config, surroundings).map(|()| Answer::Nothing),
        Command::Version => Ok(Answer::Json(version::answer())),
    }
}

fn read_all(stdin: &mut dyn Read) -> Result<Vec<u8>, CniError> {
    let refused =
        |reason: String| CniError::new(CniError::IO, "cannot read standard input").with(reason);
    let mut bytes = Vec::new();
    let read = stdin.take(stdin::MAX_SIZE + 1).read_to_end(&mut bytes);
    read.map_err(|e| refused(e.to_string()))?;
    match bytes.len() as u64 > stdin::MAX_SIZE {
        true => Err(refused(format!(
            "it is larger than {} MiB",
            stdin::MAX_SIZE >> 20
        ))),
        false => Ok(bytes),
    }
}

fn no_such_command(command: Command, version: CniVersion) -> CniError {
    let msg = format!("config version does not allow {}", command.name());
    CniError::new(CniError::VERSION, msg).with(format!(
        "the configuration has cniVersion {}, {} came with {}",
        version.as_str(),
        command.name(),
        command.since().as_str()
    ))
}

fn defect(panic: &dyn Any) -> CniError {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    CniError::new(
        CniError::INTERNAL,
        format!("panic: {}", text.unwrap_or("without a text")),
    )
    .with("this is a defect of the plugin; its log says where")
}

fn write_once(stdout: &mut dyn Write, value: &Value) -> io::Result<()> {
    let mut text = value.to_string();
    text.push('\n');
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// A call from a command line instead of a runtime.
fn serve_people(
    arguments: &[String],
    surroundings: &Surroundings,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> ExitCode {
    match arguments {
        [command, arguments @ ..] if command == "clean" => {
            match clean::run(arguments, surroundings, stdout) {
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
