//! Building the programs that the walk-through calls.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use contrail_lab::sandbox::DockerEngine;

use super::{PAUSE, PROGRAMS, Programs, check, with_input};
use crate::failure::Failure;
use crate::options::Members;

impl Programs {
    /// Builds the programs if cargo started this one, with cargo's own progress output; otherwise they
    /// must be there.
    pub fn build(&self, wanted: Option<Members>) -> Result<(), Failure> {
        let Some(mut cargo) = demo_launcher::cargo("build") else {
            return self.require(wanted);
        };
        // Not all programs: this one runs at present.
        cargo.args(PROGRAMS.iter().flat_map(|name| ["--bin", name]));
        let status = cargo.status()?;
        if !status.success() {
            return Err(Failure::Build(status));
        }
        match wanted {
            Some(Members::Namespaces) => Ok(()),
            Some(Members::Docker) => self.build_pause(),
            None if DockerEngine::unavailable().is_some() => Ok(()),
            None => {
                // Namespaces do the job if there is, for example, no static C library.
                self.build_pause()
                    .unwrap_or_else(|error| eprintln!("no containers: {error}"));
                Ok(())
            }
        }
    }

    fn require(&self, wanted: Option<Members>) -> Result<(), Failure> {
        let pause = (wanted == Some(Members::Docker)).then_some(PAUSE);
        let mut needed = PROGRAMS.into_iter().chain(pause);
        match needed.find(|name| !self.path(name).exists()) {
            Some(name) => Err(Failure::NoProgram(self.path(name))),
            None => Ok(()),
        }
    }

    /// Builds the program of the containers as one file that needs no other.
    fn build_pause(&self) -> Result<(), Failure> {
        let file = self.path(PAUSE);
        // The source is part of this program, so what is newer than this program is up to date.
        if modified(&file)? >= modified(&env::current_exe()?)? {
            return Ok(());
        }
        let _ = fs::remove_file(&file);
        let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc
            .args(["--crate-name", "pause", "--edition", "2024"])
            .args(["-C", "target-feature=+crt-static"])
            .arg("-o")
            .args([file.as_os_str(), "-".as_ref()]);
        with_input(&mut rustc, include_str!("pause.rs"))
            .and_then(|output| check("rustc", &output))
            .map_err(|error| Failure::Pause(Box::new(error)))
    }
}

/// When a file was written last; `None` if it does not exist.
fn modified(file: &Path) -> Result<Option<SystemTime>, Failure> {
    match fs::metadata(file) {
        Ok(metadata) => Ok(Some(metadata.modified()?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
