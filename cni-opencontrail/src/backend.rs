//! What the commands need from the library: attaching and detaching.

use std::time::Duration;

use contrail_core::attachment::{Attached, Attacher, Attachment, Detachment};
use contrail_core::settings::Settings;
use contrail_core::{Deadline, Result};

/// Attaches and detaches the interfaces of one container. All of a call or nothing: a failed
/// `attach` leaves nothing behind, `detach` of what is not there succeeds.
pub trait Backend {
    /// Attaches one container; the answers stand in the order of the questions.
    ///
    /// # Errors
    ///
    /// The first failure, after what was done has been undone.
    fn attach(&self, attachments: &[Attachment]) -> Result<Vec<Attached>>;

    /// Detaches one container.
    ///
    /// # Errors
    ///
    /// The first failure, after everything else has been tried.
    fn detach(&self, detachments: &[Detachment]) -> Result<()>;
}

impl Backend for Attacher {
    fn attach(&self, attachments: &[Attachment]) -> Result<Vec<Attached>> {
        Attacher::attach(self, attachments)
    }

    fn detach(&self, detachments: &[Detachment]) -> Result<()> {
        let detached = Attacher::detach(self, detachments)?;
        match detached.deferred {
            0 => log::debug!("nothing was put off"),
            n => log::warn!("{n} removals are put off until the API and the agent answer again"),
        }
        self.work_off_pending(Deadline::after(PENDING_TIME));
        Ok(())
    }
}

/// How long a DEL works off what earlier ones had to put off, besides its own job.
const PENDING_TIME: Duration = Duration::from_secs(1);

/// The connection that the settings describe.
///
/// # Errors
///
/// A certificate that cannot be used, an address of Keystone that is none.
pub fn connect(settings: &Settings) -> Result<Box<dyn Backend>> {
    Ok(Box::new(settings.attacher("cni-opencontrail")?))
}
