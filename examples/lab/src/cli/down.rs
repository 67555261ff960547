//! `contrail-lab down`: ends a lab, or removes what a killed one left.

use std::time::Duration;

use contrail_core::Error as CoreError;

use super::client::Client;
use super::error::{Error, Result};
use super::options::Which;
use super::print::print;
use super::run_file::{self, End, Found, RunFile, Running, Vacancy};
use crate::dataplane::clean;

/// How long a lab may take to remove its ports.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stops the lab; no error if it is not running.
///
/// # Errors
/// When it does not end, or something cannot be removed.
pub fn run(which: &Which) -> Result<()> {
    let name = &which.name;
    match run_file::find(name)? {
        Found::Running(running) => end(name, running),
        Found::Killed(left) => {
            remove(name, left)?;
            print(&format!(
                "lab {name:?} was killed; removed what it had left\n"
            ))
        }
        Found::Nothing => clean_up(which),
    }
}

/// Removes what a lab without a run file left.
fn clean_up(which: &Which) -> Result<()> {
    let name = &which.name;
    // Unprivileged labs leave nothing in the kernel, and may not look.
    let found = if nix::unistd::geteuid().is_root() {
        // A lab that starts meanwhile must find the name free, and keep what it makes.
        let Some(vacancy) = Vacancy::of(name)? else {
            return run(which);
        };
        let found = clean(name)?;
        drop(vacancy);
        found
    } else {
        false
    };
    print(&match found {
        true => format!("lab {name:?} was not running; removed what an earlier one had left\n"),
        false => format!("lab {name:?} is not running\n"),
    })
}

fn end(name: &str, running: Running) -> Result<()> {
    let pid = running.content.pid;
    let Some(addresses) = running.content.addresses else {
        return Err(Error::Starting(name.to_owned()));
    };
    let asked = Client::at(name, addresses.control)?.post("/stop", &serde_json::json!({}));
    match asked {
        // It no longer listens: another process stopped it, and it is removing its ports.
        Err(Error::Lab(e @ CoreError::Unreachable { .. })) => {
            log::info!("lab {name:?} ends already: {e}");
        }
        asked => asked?,
    }
    match running.ends_within(PATIENCE)? {
        End::Clean => {}
        End::Left(left) => remove(name, *left)?,
        End::No => {
            return Err(Error::Lab(CoreError::Timeout {
                operation: format!("the end of lab {name:?} (process {pid})"),
                seconds: PATIENCE.as_secs_f32(),
            }));
        }
    }
    print(&format!("lab {name:?} is down\n"))
}

/// Removes what is left of a lab. Its run file goes last, so that this can be tried again.
fn remove(name: &str, left: RunFile) -> Result<()> {
    match clean(name) {
        Ok(_) => Ok(()),
        Err(e) => {
            left.keep();
            Err(e.into())
        }
    }
}
