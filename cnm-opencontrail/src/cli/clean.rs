//! `cnm-opencontrail clean`: shows and removes what no container uses any longer.

use std::time::Duration;

use clap::Args;
use contrail_core::Deadline;
use contrail_core::attach::ORPHAN_GRACE;
use contrail_core::process::logging;
use contrail_core::process::output::print;

use super::flags::Flags;
use super::load;
use crate::daemon::{Daemon, PROGRAM};
use crate::error::Result;

/// How long a clean-up may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct Request {
    /// Remove orphans that were recorded before the grace period and still have no link.
    #[arg(long)]
    remove: bool,
    /// The grace period. It must be longer than the start of a container, whose endpoint has no link until then.
    #[arg(long, value_name = "SECONDS", default_value_t = ORPHAN_GRACE.as_secs())]
    grace: u64,
}

/// Cleans up, and prints a report.
pub(super) fn run(flags: &Flags, request: &Request) -> Result<()> {
    let loaded = load::load(flags)?;
    logging::start(PROGRAM, &loaded.settings.log);
    let daemon = Daemon::new(&loaded.settings, loaded.scope)?;
    let grace = request.remove.then(|| Duration::from_secs(request.grace));
    let done = daemon.clean(grace, Deadline::after(PATIENCE))?;
    print(done.to_string())?;
    Ok(done.outcome()?)
}
