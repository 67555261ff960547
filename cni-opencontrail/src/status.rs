//! STATUS: could ADD be served now?

use contrail_core::FqName;
use contrail_core::error::report;

use crate::Surroundings;
use crate::error::CniError;
use crate::netconf::Config;
use crate::plan;
use crate::skel::Args;

/// Asks the services of every network.
///
/// # Errors
///
/// Code 50 when the API does not answer as ADD needs it; code 51 when the vRouter agent does not, which
/// is bad for the containers that are attached as well.
pub fn run(args: &Args, config: &Config, surroundings: &Surroundings) -> Result<(), CniError> {
    let planned = plan::plan(args, config, surroundings)?;
    surroundings.start_log(&planned);
    for group in plan::by_place(&planned) {
        let settings = &group[0].settings;
        let project = FqName::new([&settings.domain, &settings.project]);
        let status = surroundings.connect(&group[0])?.status(&project);
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
