//! STATUS: could ADD be served now?

use contrail_core::FqName;
use contrail_core::error::report;

use super::plan;
use crate::call::Call;
use crate::protocol::error::CniError;

/// Asks the services of every network.
///
/// # Errors
///
/// Code 50 when the API does not answer as ADD needs it; code 51 when the vRouter agent does not, which
/// is bad for the containers that are attached as well.
pub fn run(call: &Call) -> Result<(), CniError> {
    let planned = plan::plan(call)?;
    for group in plan::by_place(&planned) {
        let settings = &group[0].settings;
        let project = FqName::new([&settings.domain, &settings.project]);
        let status = call.connect(&group[0].settings)?.status(&project);
        if let Err(error) = status.agent {
            let msg = "containers cannot be attached, and those that are may have no connection";
            return Err(CniError::new(CniError::LIMITED, msg).with(report(&error)));
        }
        if let Err(error) = status.api {
            let msg = "containers cannot be attached";
            return Err(CniError::new(CniError::NOT_AVAILABLE, msg).with(report(&error)));
        }
    }
    Ok(())
}
