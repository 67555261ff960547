//! Loads rulesets with the `nft` program, from inside the lab's namespace.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use contrail_core::error::report;
use contrail_core::{Error, Result};

use super::conntrack;
use super::nft::{self, Elements};

/// Where `nft` is looked for when the caller names none: users' paths often lack `sbin`.
const PROGRAMS: [&str; 3] = ["nft", "/usr/sbin/nft", "/sbin/nft"];

/// The packet filter of the calling thread's network namespace.
pub struct Filter {
    program: PathBuf,
    elements: Elements,
}

impl Filter {
    /// Finds the program and loads the rules.
    ///
    /// # Errors
    /// [`Error::System`] when there is no `nft` or the kernel does not take the rules.
    pub fn start(program: Option<&Path>) -> Result<Self> {
        let programs = match program {
            Some(program) => vec![program.to_owned()],
            None => PROGRAMS.map(PathBuf::from).to_vec(),
        };
        let base = nft::base();
        let mut failure = None;
        for program in programs {
            match load(&program, &base) {
                Ok(()) => {
                    return Ok(Self {
                        program,
                        elements: Elements::default(),
                    });
                }
                Err(e) => failure = Some(e),
            }
        }
        Err(failure.unwrap_or_else(|| Error::system("run nft", io::ErrorKind::NotFound.into())))
    }

    /// Brings the sets to these elements, and forgets accepted flows when less is allowed.
    ///
    /// # Errors
    /// [`Error::System`]; the old elements stay then.
    pub fn set(&mut self, next: Elements) -> Result<()> {
        let change = self.elements.change_to(&next);
        if change.is_empty() {
            return Ok(());
        }
        if let Err(e) = load(&self.program, &change) {
            // Somebody else was here: start from nothing.
            log::warn!("{}", report(&e));
            let all = nft::flush() + &Elements::default().change_to(&next);
            load(&self.program, &all)?;
        }
        let before = std::mem::replace(&mut self.elements, next);
        if before.allow_more_than(&self.elements) {
            conntrack::flush()?;
        }
        Ok(())
    }
}

/// Runs `nft -f -`: one transaction.
fn load(program: &Path, ruleset: &str) -> Result<()> {
    let failed = |e: io::Error| Error::system(format!("run {}", program.display()), e);
    let mut child = Command::new(program)
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // Dropped after the write: the program reads to the end. What it says about a broken pipe is
    // in its own words on stderr.
    let written = child
        .stdin
        .take()
        .map(|mut pipe| pipe.write_all(ruleset.as_bytes()));
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return written.transpose().map_err(failed).map(|_| ());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().next().unwrap_or("no reason given").to_owned();
    Err(failed(io::Error::other(first)))
}
