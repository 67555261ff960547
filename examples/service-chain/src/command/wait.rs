//! Waiting for the controller, with lines on the error output that say what it waits for.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use contrail_core::Result;
use contrail_core::service_chain::{ChainState, Description, Event, Repair, ServiceChains};

use super::{signals, state};

/// For how long the controller is waited for if nothing else is asked for.
const LIMIT: &str = "30";

/// Whether to wait for the controller.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Wait for so many seconds at most until the controller has built the chain, and end with 1 when it has
    /// not.
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = LIMIT,
        conflicts_with = "no_wait"
    )]
    wait: Option<u32>,
    /// Do not wait: only write what is missing.
    #[arg(long)]
    no_wait: bool,
}

impl Options {
    /// How long to wait, if at all: somebody who looks on wants to know how it ends.
    pub fn limit(&self) -> Option<Duration> {
        let is_watched = !self.no_wait && io::stderr().is_terminal();
        let seconds = self.wait.or(LIMIT.parse().ok().filter(|_| is_watched));
        seconds.map(|seconds| Duration::from_secs(seconds.into()))
    }
}

/// Waits, and tells what for.
pub fn wait(
    chains: &ServiceChains,
    description: &Description,
    limit: Duration,
) -> Result<ChainState> {
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
                "to bring it back, objects would be made again that service-chain did not make"
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
