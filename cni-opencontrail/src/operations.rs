//! What the commands need from the library: the operations on the interfaces of a container.

use std::collections::BTreeSet;
use std::time::Duration;

use contrail_core::attach::Result;
use contrail_core::attach::{
    Attached, Attacher, Attachment, Cleaned, Demand, Detachment, Expected, Status,
};
use contrail_core::error::counted;
use contrail_core::settings::Settings;
use contrail_core::{Deadline, FqName};

/// The name of this program, in its log and in the marks of its objects.
pub const PROGRAM: &str = "cni-opencontrail";

/// The operations of the commands on the interfaces of one container. All of a call or nothing: a failed
/// `attach` leaves nothing behind, `detach` of what is not there succeeds.
pub trait Operations {
    /// Attaches one container; the results are in the order of the attachments.
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

    /// The differences from the expected, a line each.
    ///
    /// # Errors
    ///
    /// When a service does not answer.
    fn check(&self, expected: &Expected) -> Result<Vec<String>>;

    /// Detaches what was attached to a network and is not to be kept, by container and interface;
    /// returns how many that were.
    ///
    /// # Errors
    ///
    /// The first failure, after everything else has been tried.
    fn collect(
        &self,
        network: &FqName,
        configuration: &str,
        keep: &BTreeSet<(String, String)>,
    ) -> Result<usize>;

    /// Whether attachments with these demands could be served. Takes no longer than a second.
    fn status(&self, project: &FqName, demands: &[Demand]) -> Status;

    /// Completes the deferred removals, looks for the orphans of a project, and removes those that
    /// were recorded at least `grace` ago; none if unset.
    ///
    /// # Errors
    ///
    /// When a service does not answer. The result says what became of each orphan.
    fn clean(&self, project: &FqName, grace: Option<Duration>) -> Result<Cleaned>;
}

impl Operations for Attacher {
    fn attach(&self, attachments: &[Attachment]) -> Result<Vec<Attached>> {
        Attacher::attach(self, attachments)
    }

    fn detach(&self, detachments: &[Detachment]) -> Result<()> {
        let end = Deadline::after(self.attach_timeout());
        let detached = Attacher::detach(self, detachments)?;
        match detached.deferred {
            0 => log::debug!("no removal is deferred"),
            n => log::warn!(
                "deferred {} until the API and the agent answer again",
                counted(n, "removal")
            ),
        }
        self.work_off_pending(end.at_most(PENDING_TIME));
        Ok(())
    }

    fn check(&self, expected: &Expected) -> Result<Vec<String>> {
        Attacher::check(self, expected, Deadline::after(QUESTION_TIME))
    }

    fn collect(
        &self,
        network: &FqName,
        configuration: &str,
        keep: &BTreeSet<(String, String)>,
    ) -> Result<usize> {
        let collected = Attacher::collect(
            self,
            network,
            configuration,
            keep,
            Deadline::after(QUESTION_TIME),
        );
        self.work_off_pending(Deadline::after(PENDING_TIME));
        collected
    }

    fn status(&self, project: &FqName, demands: &[Demand]) -> Status {
        Attacher::status(self, project, demands, Deadline::after(STATUS_TIME))
    }

    fn clean(&self, project: &FqName, grace: Option<Duration>) -> Result<Cleaned> {
        let projects = std::slice::from_ref(project);
        Attacher::clean(self, projects, grace, Deadline::after(CLEAN_TIME))
    }
}

/// How long CHECK and the questions of GC may take.
const QUESTION_TIME: Duration = Duration::from_secs(10);

/// How long a clean-up may take.
const CLEAN_TIME: Duration = Duration::from_secs(300);

/// How long STATUS may take: runtimes call it often, and wait.
const STATUS_TIME: Duration = Duration::from_millis(900);

/// How long a DEL completes removals that earlier ones deferred, in what its own has left of the time of the
/// whole call.
const PENDING_TIME: Duration = Duration::from_secs(1);

/// The connection that the settings describe.
///
/// # Errors
///
/// A certificate or an address of Keystone that cannot be used.
pub fn connect(settings: &Settings) -> contrail_core::Result<Box<dyn Operations>> {
    Ok(Box::new(settings.attacher(PROGRAM)?))
}
