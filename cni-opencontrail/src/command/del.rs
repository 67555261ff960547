//! DEL: detach the container from each network of the configuration.
//!
//! What is taken away follows from the host, the container's id and the interface's name alone:
//! neither the namespace nor a previous result nor the same configuration as at ADD is needed. So a
//! DEL with another network's configuration, as runtimes send it after a configuration was
//! replaced, frees the attachment of that id and name all the same.

use super::plan::{self, Planned};
use crate::call::Call;
use crate::protocol::error::CniError;

/// Detaches. What is not there is a success.
///
/// # Errors
///
/// The first failure, after everything else has been tried.
pub fn run(call: &Call) -> Result<(), CniError> {
    let container = call.args.container()?;
    let planned = plan::plan(call)?;
    detach(call, &planned)?;
    log::info!("container {container} detached");
    Ok(())
}

/// Detaches from every place, whatever becomes of the others.
///
/// # Errors
///
/// The first failure.
pub fn detach(call: &Call, planned: &[Planned]) -> Result<(), CniError> {
    let mut outcome = Ok(());
    for group in plan::by_place(planned) {
        let detachments = group.iter().map(|one| plan::detachment(call, one));
        let detachments = detachments.collect::<Result<Vec<_>, _>>()?;
        let operations = call.connect(&group[0].settings);
        let done = operations.and_then(|operations| operations.detach(&detachments));
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
