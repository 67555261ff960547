//! What the commands need from the library: attaching and detaching.

use contrail_core::attachment::{Attached, Attachment, Detachment};
use contrail_core::error::{Error, Result};
use contrail_core::settings::Settings;

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

/// The connection that the settings describe.
///
/// # Errors
///
/// What [`contrail_core::settings`] lets through and the connection cannot use.
pub fn connect(settings: &Settings) -> Result<Box<dyn Backend>> {
    // The attach use case of the library is not part of this build.
    Err(Error::missing(
        "the attach use case of contrail-core",
        format!("nothing can be attached at {} yet", settings.servers[0]),
    ))
}
