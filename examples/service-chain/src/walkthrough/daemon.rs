//! The Docker plugin while it serves.

use std::fs::File;
use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::failure::{Failure, expect};
use crate::programs::{Programs, SOCKET};

/// How long it may take to serve.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often is looked whether it does.
const INTERVAL: Duration = Duration::from_millis(5);

/// Its log, in the sandbox.
const LOG: &str = "/run/cnm-opencontrail.log";

/// The process. It ends with the sandbox at the latest.
pub struct Daemon(Child);

impl Daemon {
    /// Starts it; returns when it serves its socket.
    pub fn start(programs: &Programs) -> Result<Self, Failure> {
        let mut child = programs
            .command("cnm-opencontrail")
            .stderr(File::create(LOG)?)
            .spawn()?;
        let end = Instant::now() + PATIENCE;
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

    /// Ends it as a service manager does.
    pub fn end(mut self) -> Result<(), Failure> {
        let pid = self.0.id().try_into().map_err(std::io::Error::other)?;
        kill(Pid::from_raw(pid), Signal::SIGTERM).map_err(std::io::Error::from)?;
        let status = self.0.wait()?;
        expect("how the Docker plugin ended", status.code(), Some(0))?;
        expect(
            "that its socket is there",
            Path::new(SOCKET).exists(),
            false,
        )
    }
}
