//! Waiting for the controller, with progress lines on the error output.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use contrail_core::process::output;
use contrail_core::service_chain::{
    ChainState, Description, Event, Plan, Progress, Repair, Result, ServiceChains,
};

use super::{signals, state};

/// The default time limit in seconds.
const LIMIT: &str = "30";

/// Whether to wait for the controller.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Wait until the controller has built the chain, at most this many seconds, 30 if unset; exit
    /// with 1 if it has not.
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = LIMIT,
        conflicts_with = "no_wait"
    )]
    wait: Option<u32>,
    /// Do not wait, and do not repair a chain that the controller has lost: only write what is missing.
    #[arg(long)]
    no_wait: bool,
}

impl Options {
    /// The time limit.
    fn limit(&self) -> Duration {
        let seconds = self.wait.or(LIMIT.parse().ok()).unwrap_or_default();
        Duration::from_secs(seconds.into())
    }
}

/// Waits after `apply` if `--wait` is set, if standard error is a terminal, or to repair a chain that the
/// controller has lost although nothing had to be written. Returns what is built; `None` if it did not wait.
pub fn after(
    plan: &Plan,
    chains: &ServiceChains,
    description: &Description,
    options: &Options,
) -> Result<Option<ChainState>> {
    if options.no_wait {
        return Ok(None);
    }
    let is_watched = options.wait.is_some() || io::stderr().is_terminal();
    let is_lost = || -> Result<bool> {
        Ok(plan.changes.is_empty() && chains.built(description)?.progress() == Progress::Unbuilt)
    };
    match is_watched || is_lost()? {
        true => wait(chains, description, options.limit()).map(Some),
        false => Ok(None),
    }
}

fn wait(chains: &ServiceChains, description: &Description, limit: Duration) -> Result<ChainState> {
    let name = &description.name;
    chains.bring_up(description, limit, |event| {
        let text = match event {
            Event::Changed(state) => format!("waiting for the controller: {}", state::first(state)),
            Event::Repairing(repair) => {
                signals::hold();
                description_of(*repair).to_owned()
            }
            Event::Repaired(_) => {
                signals::release();
                "done".to_owned()
            }
            Event::NotOurs(_) => {
                "not repaired: that would recreate objects that service-chain did not create or that other \
                 chains use"
                    .to_owned()
            }
        };
        // If this fails, there is no way to report it.
        let _ = writeln!(output::stderr(), "chain {name}: {text}");
    })
}

fn description_of(repair: Repair) -> &'static str {
    match repair {
        Repair::Rejoin => "the controller has lost the chain: its members leave and join again",
        Repair::Rebuild => {
            "the controller has lost the chain: its policy, port tuples and service instances are recreated"
        }
    }
}
