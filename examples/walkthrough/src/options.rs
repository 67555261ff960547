//! The command line, checked before anything is built or started.

use std::io;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, ValueEnum};
use contrail_lab::sandbox::{self, DockerEngine};
use nix::unistd::{AccessFlags, access};

/// Runs a service chain of a Docker container and a network namespace on this host, and checks every
/// step: two networks, a container in each, the chain between them, restarts of its members, and the
/// clean-up.
///
/// Everything runs in namespaces of its own, with contrail-lab as the OpenContrail, and leaves nothing
/// behind.
#[derive(Debug, Parser)]
#[command(name = "cargo demo", bin_name = "cargo demo --", version)]
pub struct Options {
    /// What the Docker members are [default: containers if a Docker engine can be started here,
    /// otherwise namespaces].
    #[arg(long, value_enum, value_name = "KIND")]
    pub members: Option<Members>,
    /// Draw the networks, the members and the path of the packets into this file (SVG).
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// What the Docker members are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Members {
    /// Containers of a Docker engine that runs in the sandbox; needs root.
    Docker,
    /// Network namespaces, driven through the same socket API of the Docker plugin.
    Namespaces,
}

/// Why the walk-through cannot run with these arguments.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("--members docker: {0}; use --members namespaces")]
    NoDocker(String),
    #[error("--svg {}: no directory {}: {error}", file.display(), directory.display())]
    NoDirectory {
        file: PathBuf,
        directory: PathBuf,
        error: io::Error,
    },
    #[error("--svg {}: is a directory; name a file in it", .0.display())]
    IsDirectory(PathBuf),
    #[error("--svg {}: cannot write {}: {error}", file.display(), place.display())]
    NotWritable {
        file: PathBuf,
        place: PathBuf,
        error: io::Error,
    },
    #[error("--svg {}: the sandbox has its own {}; name a file elsewhere", file.display(), directory.display())]
    InSandbox { file: PathBuf, directory: PathBuf },
}

impl Options {
    /// The arguments of this process. If the walk-through cannot run with them, this ends the process
    /// with exit code 2, as a wrong option does.
    pub fn checked() -> Self {
        let options = Self::parse();
        match options.check() {
            Ok(()) => options,
            Err(refusal) => Self::command()
                .error(ErrorKind::ValueValidation, refusal)
                .exit(),
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.members == Some(Members::Docker)
            && let Some(reason) = DockerEngine::unavailable()
        {
            return Err(Refusal::NoDocker(reason));
        }
        self.svg.as_deref().map_or(Ok(()), check_output)
    }
}

/// Checks that a file can be written, from inside the sandbox as well.
fn check_output(file: &Path) -> Result<(), Refusal> {
    if file.is_dir() {
        return Err(Refusal::IsDirectory(file.to_owned()));
    }
    let parent = file.parent().filter(|parent| *parent != Path::new(""));
    let directory = parent.unwrap_or(Path::new("."));
    let is_directory = |found: &PathBuf| match found.is_dir() {
        true => Ok(()),
        false => Err(io::Error::from(io::ErrorKind::NotADirectory)),
    };
    let real = directory
        .canonicalize()
        .and_then(|real| is_directory(&real).map(|()| real))
        .map_err(|error| Refusal::NoDirectory {
            file: file.to_owned(),
            directory: directory.to_owned(),
            error,
        })?;
    let target = real.join(file.file_name().unwrap_or_default());
    if sandbox::hides(&target) {
        return Err(Refusal::InSandbox {
            file: file.to_owned(),
            directory: real,
        });
    }
    let (place, flags) = match target.exists() {
        true => (target, AccessFlags::W_OK),
        false => (real, AccessFlags::W_OK | AccessFlags::X_OK),
    };
    access(&place, flags).map_err(|errno| Refusal::NotWritable {
        file: file.to_owned(),
        error: errno.into(),
        place,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_can_be_written_is_accepted() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("path.svg");
        check_output(&file).unwrap();
        std::fs::write(&file, "").unwrap();
        check_output(&file).unwrap();
        check_output(Path::new("path.svg")).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_written_is_refused_with_the_reason() {
        let directory = tempfile::tempdir().unwrap();
        let refused = |file: PathBuf, reason: &str| {
            let text = check_output(&file).unwrap_err().to_string();
            assert!(text.contains(reason), "{text}");
            assert!(text.contains(&file.display().to_string()), "{text}");
        };
        refused(directory.path().to_owned(), "is a directory");
        refused(directory.path().join("absent/path.svg"), "no directory");
        std::fs::write(directory.path().join("file"), "").unwrap();
        refused(directory.path().join("file/path.svg"), "no directory");
        refused("/proc/sys/path.svg".into(), "the sandbox has its own");
        refused("/run/path.svg".into(), "the sandbox has its own");
    }
}
