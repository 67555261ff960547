//! STATUS: could ADD be served now?

use contrail_core::error::report;

use super::plan;
use crate::call::Call;
use crate::protocol::error::CniError;

/// Reads the configuration as ADD does, and asks the services of every network.
///
/// # Errors
///
/// The codes of ADD for a configuration that ADD refuses. Code 50 when a network cannot be had as ADD needs it,
/// the API does not answer or the state of this host cannot be written; code 51 when the vRouter agent does not, which
/// is bad for the containers that are attached as well.
pub fn run(call: &Call) -> Result<(), CniError> {
    let planned = plan::plan(call)?;
    for group in plan::by_place(&planned) {
        let settings = &group[0].settings;
        let project = settings.project_name();
        let demands = group.iter().map(plan::demand);
        let demands = demands.collect::<Result<Vec<_>, _>>()?;
        let status = call.connect(settings)?.status(&project, &demands);
        if let Err(error) = status.agent {
            let msg = "containers cannot be attached, and those that are may have no connection";
            return Err(CniError::new(CniError::LIMITED, msg).with(report(&error)));
        }
        let state = status.state.map_err(|error| report(&error));
        if let Err(reason) = state.and(status.api.map_err(|error| report(&error))) {
            let msg = "containers cannot be attached";
            return Err(CniError::new(CniError::NOT_AVAILABLE, msg).with(reason));
        }
    }
    Ok(())
}
