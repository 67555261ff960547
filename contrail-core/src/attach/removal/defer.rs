//! Deferring removals that failed: all of them go to the queue. Those that cannot succeed without a change
//! made elsewhere also fail the call.

use uuid::Uuid;

use super::pending;
use super::run::Failed;
use super::step::Step;
use crate::attach::attacher::Attacher;
use crate::attach::error::{Error, Result};
use crate::attach::records::orphans;
use crate::error::{self, Error as ClientError, Layered};

/// How a detach went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detached {
    /// How many removal steps failed and are on disk, with the steps that wait for them; later calls run
    /// them.
    pub deferred: usize,
}

impl Attacher {
    fn note(&self, interface: Uuid, steps: &[Step], failed: &[Failed]) -> crate::Result<()> {
        pending::settle(&self.host.state_dir, interface, steps, failed)?;
        // From here on, only the queue tracks it.
        orphans::forget(&self.host.state_dir, interface)
    }

    /// Records what failed in the queue. That is a success if a retry can help without any change, and for
    /// a network: one that remains is no reason to keep a container.
    pub(crate) fn defer_failed(
        &self,
        interfaces: &[Uuid],
        steps: &[Step],
        failed: Vec<Failed>,
    ) -> Result<Detached> {
        for &interface in interfaces {
            match self.note(interface, steps, &failed) {
                // Everything is removed: a note that stays is worked off later, and finds nothing.
                Err(error) if failed.is_empty() => log::warn!("{}", error::report(&error)),
                noted => noted?,
            }
        }
        let deferred = failed.len();
        let is_hopeless = |failed: &Failed| {
            !may_work_later(&failed.error) && !matches!(failed.step, Step::Networks { .. })
        };
        let (hopeless, later): (Vec<Failed>, Vec<Failed>) =
            failed.into_iter().partition(is_hopeless);
        for failed in later {
            log::warn!(
                "deferred the removal of {}: {}",
                failed.step,
                error::report(&failed.error)
            );
        }
        let mut errors: Vec<Error> = hopeless.into_iter().map(|failed| failed.error).collect();
        match (errors.pop(), errors.is_empty()) {
            (None, _) => Ok(Detached { deferred }),
            (Some(only), true) => Err(only),
            (Some(last), false) => {
                errors.push(last);
                Err(Error::Left(errors))
            }
        }
    }
}

/// Whether a later retry can help without a change of the request: the service was down or
/// broken, something in front of it redirects to where it is not, or the credentials were refused while they
/// are being renewed. An agent has no reason to keep a port, whatever it says.
fn may_work_later(error: &Error) -> bool {
    // What Keystone answers says nothing about the object.
    if matches!(error, Error::Client(ClientError::NoToken { .. })) {
        return true;
    }
    match error.client_cause() {
        Some(ClientError::Refused { status, .. }) if *status >= 500 || *status < 400 => true,
        Some(ClientError::Unauthorized { .. } | ClientError::Agent { .. }) => true,
        // Something else answers in the place of the API, or the object cannot be read for now.
        Some(ClientError::Decode { .. } | ClientError::NoId { .. }) => true,
        // The request is right: the settings or the server's certificate will be mended.
        Some(ClientError::Misconfigured { .. }) => true,
        _ => error.cause().is_transient(),
    }
}
