//! Waiting for the controller, with lines on the error output that say what it waits for.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use contrail_core::service_chain::{
    ChainState, Description, Event, Plan, Progress, Repair, Result, ServiceChains,
};

use super::{signals, state};

/// For how long the controller is waited for if nothing else is asked for.
const LIMIT: &str = "30";

/// Whether to wait for the controller.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Wait for so many seconds at most until the controller has built the chain, and end with 1 when
    /// it has not.
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = LIMIT,
        conflicts_with = "no_wait"
    )]
    wait: Option<u32>,
    /// Do not wait, and do not bring back a chain that the controller has lost: only write what is missing.
    #[arg(long)]
    no_wait: bool,
}

impl Options {
    /// How long to wait.
    fn limit(&self) -> Duration {
        let seconds = self.wait.or(LIMIT.parse().ok()).unwrap_or_default();
        Duration::from_secs(seconds.into())
    }
}

/// Waits after a chain was applied, if that is asked for, somebody looks on, or nothing had to be written
/// although the controller has lost the chain: it is brought back then. Returns what is built, if that was
/// looked at.
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
                doing(*repair).to_owned()
            }
            Event::Repaired(_) => {
                signals::release();
                "done".to_owned()
            }
            Event::NotOurs(_) => {
                "to bring it back, objects would be made again that service-chain did not make, or that other \
                 chains go through"
                    .to_owned()
            }
        };
        // Nothing helps when not even this can be written.
        let _ = writeln!(io::stderr(), "chain {name}: {text}");
    })
}

fn doing(repair: Repair) -> &'static str {
    match repair {
        Repair::Rejoin => "the controller has lost it: its members leave and join again",
        Repair::Rebuild => {
            "the controller has lost it: policy, port tuples and service instances are made again"
        }
    }
}
