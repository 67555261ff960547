//! The process of the Docker plugin.

use std::fs::File;
use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Programs, SOCKET};
use crate::failure::{Failure, expect};

/// How long it may take to start.
const START_LIMIT: Duration = Duration::from_secs(10);

/// The interval of looking for its socket.
const INTERVAL: Duration = Duration::from_millis(5);

/// Its log, in the sandbox.
const LOG: &str = "/run/cnm-opencontrail.log";

/// The process; it ends with the sandbox at the latest.
pub struct Daemon(Child);

impl Daemon {
    /// Starts the plugin and waits for its socket.
    pub fn start(programs: &Programs) -> Result<Self, Failure> {
        let mut child = programs
            .command("cnm-opencontrail")
            .stderr(File::create(LOG)?)
            .spawn()?;
        let end = Instant::now() + START_LIMIT;
        while !Path::new(SOCKET).exists() {
            if child.try_wait()?.is_some() || Instant::now() > end {
                return Err(Failure::Command {
                    command: "cnm-opencontrail".to_owned(),
                    status: "no socket".to_owned(),
                    output: std::fs::read_to_string(LOG)?,
                });
            }
            thread::sleep(INTERVAL);
        }
        Ok(Self(child))
    }

    /// Ends the plugin as a service manager does.
    pub fn end(mut self) -> Result<(), Failure> {
        let pid = self.0.id().try_into().map_err(std::io::Error::other)?;
        kill(Pid::from_raw(pid), Signal::SIGTERM).map_err(std::io::Error::from)?;
        let status = self.0.wait()?;
        expect("exit code of the Docker plugin", status.code(), Some(0))?;
        expect(
            "whether its socket still exists",
            Path::new(SOCKET).exists(),
            false,
        )
    }
}
