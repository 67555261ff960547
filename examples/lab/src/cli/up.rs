//! `contrail-lab up`: serves a lab until it is told to stop.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use contrail_core::Error as CoreError;
use nix::unistd::{dup2_stderr, geteuid, setsid};
use tokio::signal::unix::{SignalKind, signal};

use super::error::Result;
use super::options::lab_name;
use super::print::print;
use super::run_dir;
use super::run_file::{self, RunFile};
use crate::dataplane::Mode;
use crate::lab::{Lab, LabOptions};
use crate::status::Status;

/// The line that says that the lab serves.
const READY: &str = "ready";

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The lab's name: labs with different names can run side by side, each with its own addresses.
    #[arg(long, default_value = "lab", value_parser = lab_name)]
    name: String,
    /// Where the configuration API listens.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8082")]
    config_api: SocketAddr,
    /// Where Keystone listens.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:35357")]
    keystone: SocketAddr,
    /// Where the vRouter agent listens.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9091")]
    agent: SocketAddr,
    /// Where the lab's own endpoint (faults, request log, status) listens; port 0 is any free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    control: SocketAddr,
    /// The directory of the agent's port files [default: /var/lib/contrail/ports for the lab named
    /// lab, a directory of its own for any other].
    #[arg(long, value_name = "DIR")]
    ports_dir: Option<PathBuf>,
    /// A file that keeps the configuration between runs.
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// Whether to forward packets: on (fail if not permitted), off, auto (if permitted).
    #[arg(long, value_enum, default_value_t = Mode::Auto)]
    data_plane: Mode,
    /// Refuse requests to the configuration API without a Keystone token.
    #[arg(long)]
    auth: bool,
    /// Return when the lab serves, and leave it running.
    #[arg(long)]
    background: bool,
    /// Set by --background for the process that stays.
    #[arg(long, hide = true)]
    detached: bool,
}

/// Serves a lab, or starts the process that does; returns the exit code of this process.
///
/// # Errors
/// When the lab cannot start or cannot be removed.
pub fn run(options: Options) -> Result<ExitCode> {
    if options.background && !options.detached {
        return start_in_background();
    }
    let is_detached = options.detached;
    if is_detached {
        // Fails only for the leader of a process group, which a child just started is not.
        setsid().map_err(|e| CoreError::system("leave the terminal", e.into()))?;
    }
    let options = lab_options(options);
    let name = options.name.clone();
    let snapshot_dir = options.snapshot.as_deref().and_then(Path::parent);
    let needed: Vec<&Path> = snapshot_dir
        .into_iter()
        .chain([&*options.ports_dir])
        .collect();
    let mut run_file = RunFile::take(&name, &needed)?;
    let lab = Lab::start(options)?;
    run_file.serves_at(lab.addresses())?;
    let greeting = greeting(&lab.status());
    if is_detached {
        // Standard error of the starter is closed when the starter has returned.
        write_errors_to(&run_file::log_path(&name))?;
    }
    print(&greeting)?;
    let ended = wait_for_the_end(&lab);
    match lab.stop() {
        Ok(()) => drop(run_file),
        Err(e) => {
            run_file.keep();
            return Err(e.into());
        }
    }
    ended.map(|()| ExitCode::SUCCESS)
}

fn write_errors_to(path: &Path) -> Result<()> {
    let failed = |e| CoreError::file("create", path, e);
    let log = File::create(path).map_err(failed)?;
    dup2_stderr(&log).map_err(|e| failed(e.into()))?;
    Ok(())
}

fn lab_options(options: Options) -> LabOptions {
    let ports_dir = options
        .ports_dir
        .unwrap_or_else(|| default_ports_dir(&options.name));
    LabOptions {
        name: options.name,
        config_api: options.config_api,
        keystone: options.keystone,
        agent: options.agent,
        control: options.control,
        snapshot: options.snapshot,
        data_plane: options.data_plane,
        authentication: options.auth,
        ..LabOptions::new(ports_dir)
    }
}

/// Two labs must not share port files: each would take the other's ports at its next start.
fn default_ports_dir(lab: &str) -> PathBuf {
    if !geteuid().is_root() {
        return run_dir::path().join(format!("{lab}-ports"));
    }
    match lab {
        "lab" => "/var/lib/contrail/ports".into(),
        other => PathBuf::from(format!("/var/lib/contrail-lab/{other}/ports")),
    }
}

/// Returns when a signal or the control endpoint asks the lab to stop.
fn wait_for_the_end(lab: &Lab) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(|e| CoreError::system("start a runtime", e))?;
    let mut wanted = lab.stop_wanted();
    runtime.block_on(async {
        let watch = |kind| signal(kind).map_err(|e| CoreError::system("watch for signals", e));
        let mut interrupt = watch(SignalKind::interrupt())?;
        let mut terminate = watch(SignalKind::terminate())?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            // An error means that the lab is gone, which ends the waiting too.
            _ = wanted.wait_for(|wanted| *wanted) => {}
        }
        Ok(())
    })
}

fn greeting(status: &Status) -> String {
    let addresses = &status.addresses;
    let mut text =
        "contrail-lab: an OpenContrail on one host, for trying and testing only\n".to_owned();
    let mut line = |what: &str, value: String| {
        let _ = writeln!(text, "{what:<18} {value}");
    };
    line(
        "configuration API",
        format!("http://{}", addresses.config_api),
    );
    line(
        "Keystone",
        format!("http://{0}/v2.0 http://{0}/v3", addresses.keystone),
    );
    let ports_dir = status.ports_dir.display();
    line(
        "vRouter agent",
        format!("http://{} {ports_dir}", addresses.agent),
    );
    line("control", format!("http://{}", addresses.control));
    if let Some(namespace) = &status.namespace {
        line("data plane", namespace.display().to_string());
    }
    for problem in &status.problems {
        line("note", problem.clone());
    }
    text + READY + "\n"
}

/// Starts this program again with the same arguments, shows what it says, and returns when it
/// serves. If it does not, it prints why.
fn start_in_background() -> Result<ExitCode> {
    let failed = |e| CoreError::system("start the lab in the background", e);
    let program = std::env::current_exe().map_err(failed)?;
    let mut child = Command::new(program)
        .args(std::env::args_os().skip(1))
        .arg("--detached")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let said = child.stdout.take().map(BufReader::new);
    for line in said.into_iter().flat_map(BufReader::lines) {
        let line = line.map_err(failed)?;
        print(&format!("{line}\n"))?;
        if line == READY {
            return Ok(ExitCode::SUCCESS);
        }
    }
    child.wait().map_err(failed)?;
    Ok(ExitCode::FAILURE)
}
