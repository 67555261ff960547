//! The members of the networks: Docker containers, or network namespaces in their place, and the network
//! namespace that the CNI plugin attaches.

mod containers;
mod docker;
mod links;
mod member;
mod namespace;
mod networks;
mod stand_in;

pub use containers::Containers;
use contrail_lab::sandbox::ControlGroups;
use docker::Docker;
pub use links::links;
pub use member::{Interface, Member, PINGS};
pub use namespace::Namespace;
pub use networks::NETWORKS;
use stand_in::StandIn;

use crate::failure::Failure;
use crate::options::Members;
use crate::programs::Programs;
use crate::report::say;

/// What runs the containers: as asked for, or else Docker where it can run.
pub fn containers(
    programs: &Programs,
    groups: &ControlGroups,
    wanted: Option<Members>,
) -> Result<Box<dyn Containers>, Failure> {
    let reason = match (wanted, Docker::unavailable(programs)) {
        (Some(Members::Namespaces), _) => "as asked for".to_owned(),
        (Some(Members::Docker), Some(reason)) => return Err(Failure::NoDocker(reason)),
        (Some(Members::Docker), None) => return Ok(Box::new(Docker::start(programs, groups)?)),
        (None, Some(reason)) => reason,
        (None, None) => match Docker::start(programs, groups) {
            Ok(docker) => return Ok(Box::new(docker)),
            Err(error) => error.to_string().lines().take(1).collect(),
        },
    };
    say("             network namespaces stand in for the Docker containers, driven through the");
    say(&format!(
        "             same socket API of the plugin: {reason}"
    ));
    Ok(Box::new(StandIn::default()))
}
