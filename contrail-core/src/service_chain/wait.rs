//! Waiting until the controller has built a chain, and bringing back one that it has lost.

use std::time::{Duration, Instant};

use super::apply;
use super::built::{self, ChainState, Objects, Progress, Wanted};
use super::chain::Chain;
use super::chains::ServiceChains;
use super::description::Description;
use super::error::Result;
use super::repair::Repair;
use super::snapshot::Snapshot;
use crate::api::objects::NetworkPolicy;
use crate::values::Deadline;

/// How often the controller's state is read.
pub const POLL: Duration = Duration::from_millis(500);
/// How long a partly built chain may remain unchanged before it counts as lost. The controller takes up to 5 s
/// for a chain of three services, but something changes all the time.
pub const SETTLE: Duration = Duration::from_secs(5);
/// The time between the two stages of a repair. That the controller has forgotten what was there
/// cannot be seen; with 1.5 s it was seen to work, without a pause it was seen not to.
pub(super) const PAUSE: Duration = Duration::from_millis(1500);

/// What happens while a chain comes up.
#[derive(Clone, Debug)]
pub enum Event {
    /// The state has changed.
    Changed(ChainState),
    /// The chain is lost, and this is done about it.
    Repairing(Repair),
    /// That was done; now the controller gets its time.
    Repaired(Repair),
    /// The chain is lost, and this would bring it back, but would remove what this project did not create.
    NotOurs(Repair),
}

impl ServiceChains {
    /// What the controller has built of the chain. Nothing is written. Eight requests, and one for each
    /// service.
    ///
    /// # Errors
    /// As [`ServiceChains::diff`].
    pub fn built(&self, description: &Description) -> Result<ChainState> {
        self.state(&description.chain(&self.project)?)
    }

    /// Waits until the controller has built the chain, for `limit` at most, and returns what it has
    /// built by then. [`ServiceChains::built`] only looks; this call may also change objects: a chain that does not change for [`SETTLE`] although the controller has all that
    /// it needs is repaired: see [`Repair`]. A repair that has begun is completed, and the
    /// controller gets its time after it, even when the limit passes.
    ///
    /// # Errors
    /// As [`ServiceChains::apply`].
    ///
    /// ```no_run
    /// # use contrail_core::service_chain::{Description, Result, ServiceChains};
    /// # fn example(chains: &ServiceChains, description: &Description) -> Result<()> {
    /// use std::time::Duration;
    ///
    /// let limit = Duration::from_secs(60);
    /// let state = chains.bring_up(description, limit, |event| println!("{event:?}"))?;
    /// for leg in state.legs.iter().filter(|leg| !leg.lacks.is_empty()) {
    ///     println!("{leg}");
    /// }
    /// # Ok(()) }
    /// ```
    pub fn bring_up(
        &self,
        description: &Description,
        limit: Duration,
        mut on: impl FnMut(&Event),
    ) -> Result<ChainState> {
        let chain = description.chain(&self.project)?;
        let mut deadline = Deadline::after(limit);
        let mut repairs = Repair::ALL.into_iter();
        let mut patience = SETTLE;
        let mut last = None;
        let mut since = Instant::now();
        loop {
            let state = self.state(&chain)?;
            if matches!(state.progress(), Progress::Built | Progress::Hidden)
                || deadline.has_passed()
            {
                return Ok(state);
            }
            if last.as_ref() != Some(&state) {
                since = Instant::now();
                on(&Event::Changed(state.clone()));
                last = Some(state.clone());
            }
            let is_lost = state.progress() == Progress::Unbuilt && since.elapsed() >= patience;
            if is_lost && let Some(repair) = repairs.next() {
                self.repair(&chain, &state, repair, &mut on)?;
                since = Instant::now();
                deadline = deadline.max(Deadline::after(SETTLE));
                // The harsher repair must not hit a controller that is merely slow.
                patience *= 2;
            }
            std::thread::sleep(POLL.min(deadline.remaining()));
        }
    }

    fn state(&self, chain: &Chain) -> Result<ChainState> {
        let policy = self.client.lookup::<NetworkPolicy>(&chain.policy)?;
        let wanted = Wanted::of_chain(chain, policy.as_ref());
        let objects = Objects::read(&self.client, std::slice::from_ref(&wanted))?;
        Ok(built::assess(&wanted, &objects))
    }

    fn repair(
        &self,
        chain: &Chain,
        state: &ChainState,
        repair: Repair,
        mut on: impl FnMut(&Event),
    ) -> Result<()> {
        let snapshot = Snapshot::read(&self.client, chain)?;
        let services = state.broken_services().into_iter().cloned().collect();
        let Some(stages) = repair.stages(&snapshot, &services) else {
            on(&Event::NotOurs(repair));
            return Ok(());
        };
        on(&Event::Repairing(repair));
        apply::run_in_stages(&self.client, &stages, || std::thread::sleep(PAUSE))?;
        on(&Event::Repaired(repair));
        Ok(())
    }
}
