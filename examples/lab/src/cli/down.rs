//! `contrail-lab down`: ends a lab, or removes what a killed one left.

use std::time::Duration;

use contrail_core::{Error, Result};

use super::client::Client;
use super::run_file::{self, Found};
use super::{Which, print};
use crate::dataplane::clean;

/// How long a lab may take to remove its ports.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the lab; a lab that does not run is fine.
///
/// # Errors
/// When it does not end, or something cannot be removed.
pub fn run(which: &Which) -> Result<()> {
    let name = &which.name;
    match run_file::find(name)? {
        Found::Running(content, waiter) => {
            let asked =
                Client::at(content.addresses.control)?.post("/stop", &serde_json::json!({}));
            match asked {
                // It listens no more: somebody else ended it, and it is removing its ports.
                Err(e @ Error::Unreachable { .. }) => log::info!("lab {name} ends already: {e}"),
                asked => asked?,
            }
            if !waiter.ends_within(PATIENCE) {
                return Err(Error::Timeout {
                    operation: format!("the end of lab {name} (process {})", content.pid),
                    seconds: PATIENCE.as_secs_f32(),
                });
            }
            run_file::remove(name)?;
            print(&format!("lab {name} is down\n"))
        }
        Found::Killed => {
            clean(name)?;
            run_file::remove(name)?;
            print(&format!(
                "lab {name} had been killed: what it left is removed\n"
            ))
        }
        Found::Nothing => {
            // Unprivileged labs leave nothing in the kernel, and may not look.
            if nix::unistd::geteuid().is_root() && clean(name)? {
                return print(&format!(
                    "lab {name} did not run: what an earlier one left is removed\n"
                ));
            }
            print(&format!("lab {name} does not run\n"))
        }
    }
}
