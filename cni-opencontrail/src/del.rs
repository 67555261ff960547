//! DEL: detach the container from each network of the configuration.
//!
//! What is taken away follows from the host, the container's id and the interface's name alone:
//! neither the namespace nor a previous result nor the same configuration as at ADD is needed. So a
//! DEL with another network's configuration, as runtimes send it after a configuration was
//! replaced, frees the attachment of that id and name all the same.

use crate::Surroundings;
use crate::error::CniError;
use crate::netconf::Config;
use crate::plan::{self, Planned};
use crate::skel::Args;

/// Detaches. What is not there is a success.
///
/// # Errors
///
/// The first failure, after everything else has been tried.
pub fn run(args: &Args, config: &Config, surroundings: &Surroundings) -> Result<(), CniError> {
    let planned = plan::plan(args, config, surroundings)?;
    surroundings.start_log(&planned);
    detach(args, &planned, surroundings)?;
    log::info!("container {} detached", args.container);
    Ok(())
}

/// Detaches from every place, whatever becomes of the others.
///
/// # Errors
///
/// The first failure.
pub fn detach(
    args: &Args,
    planned: &[Planned],
    surroundings: &Surroundings,
) -> Result<(), CniError> {
    let mut outcome = Ok(());
    for group in plan::by_place(planned) {
        let detachments: Vec<_> = group
            .iter()
            .map(|one| plan::detachment(args, one))
            .collect();
        let backend = surroundings.connect(&group[0]);
        let done = backend.and_then(|backend| backend.detach(&detachments));
        match (done, &outcome) {
            (Ok(_), _) => {}
            (Err(error), Ok(())) => outcome = Err(error.into()),
            // The first one is the answer, and logged as such.
            (Err(error), Err(_)) => {
                log::error!("detaching failed: {}", contrail_core::error::report(&error));
            }
        }
    }
    outcome
}
