//! Service chains: packets between two virtual networks go through services, in order.
//!
//! A [`Description`] says which networks, which services and which containers do the work. It is
//! checked in itself, then held against a [`Snapshot`] of what the controller has; the difference is
//! a [`Plan`], an ordered list of [`Change`]s. All of that is pure. [`ServiceChains`] reads and
//! writes: it makes the changes only when nothing stands against them, and takes them back when one
//! fails.
//!
//! Of a chain, the controller holds a service template (version 2), for each service a service
//! instance, for each of its members a port tuple that the VM interfaces refer to, and one network
//! policy that is attached to both networks. The controller then brings up the chain by itself:
//! [`built`] tells how far it is, and [`ServiceChains::bring_up`] waits for it and brings back a
//! chain that it has lost. What a chain makes carries a mark; what was there before is used when it
//! fits, refused when it does not, and never changed or removed.
//!
//! ```no_run
//! # fn example(client: contrail_core::api::Client) -> contrail_core::service_chain::Result<()> {
//! use contrail_core::service_chain::{Description, ServiceChains};
//!
//! let chains = ServiceChains::new(client, "default-domain:admin".parse()?);
//! let text = r#"{"name": "c1", "left": "net1", "right": "net2",
//!     "services": [{"name": "firewall", "members": ["fw-container"]}]}"#;
//! let description = Description::read(text, "c1.json")?;
//! let plan = chains.apply(&description)?;
//! assert!(chains.diff(&description)?.is_complete());
//! println!("{} changes", plan.changes.len());
//! # Ok(())
//! # }
//! ```

mod apply;
pub mod built;
mod chain;
mod change;
mod check;
mod description;
mod eligible;
mod error;
mod joined;
mod leave;
mod members;
mod orphan;
mod plan;
mod policy;
mod problem;
mod removal;
mod repair;
mod role;
mod services;
mod snapshot;
mod template;
mod types;
mod upkeep;
mod wait;

use crate::api::Client;

use crate::values::FqName;

pub use built::{ChainState, Lack, LegState, Progress};
pub use chain::{Chain, ChainService};
pub use change::{Change, Object, Target};
pub use description::{Description, Member, Networks, Port, Service};
pub use error::{Error, Result};
pub use leave::Dissolved;
pub use plan::{Plan, Shown, State, plan, plan_removal};
pub use problem::Problem;
pub use repair::Repair;
pub use role::{RolePort, ServiceRole, ServiceRoles};
pub use snapshot::Snapshot;
pub use types::{Direction, Leg, Mode, Ports, Protocol};
pub use upkeep::Unbuilt;
pub use wait::{Event, POLL, SETTLE};

/// The service chains of a project.
#[derive(Clone)]
pub struct ServiceChains {
    client: Client,
    project: FqName,
}

impl ServiceChains {
    /// The chains of a project, `domain:project`.
    pub fn new(client: Client, project: FqName) -> Self {
        Self { client, project }
    }

    /// Makes the controller have the chain, and returns what was changed: nothing when it has it.
    ///
    /// # Errors
    /// [`Error::Impossible`] with all that stands against it; nothing was written then. Any other error of
    /// the API; what had been done was taken back then, and [`Error::Undo`] names what could not be.
    ///
    /// ```no_run
    /// # use contrail_core::service_chain::{Result, ServiceChains};
    /// # fn example(chains: &ServiceChains) -> Result<()> {
    /// use contrail_core::service_chain::{Description, Error};
    ///
    /// let text = r#"{"name": "c1", "left": "net1", "right": "net2", "services": [{"name": "fw"}]}"#;
    /// match chains.apply(&Description::read(text, "c1.json")?) {
    ///     Ok(plan) => plan.changes.iter().for_each(|change| println!("{change}")),
    ///     Err(Error::Impossible { problems, .. }) => {
    ///         problems.iter().for_each(|problem| eprintln!("{problem}"));
    ///     }
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(()) }
    /// ```
    pub fn apply(&self, description: &Description) -> Result<Plan> {
        let plan = self.diff(description)?;
        if !plan.problems.is_empty() {
            return Err(Error::Impossible {
                chain: plan.chain,
                problems: plan.problems,
            });
        }
        apply::run(&self.client, &plan.changes)?;
        Ok(plan)
    }

    /// What [`ServiceChains::apply`] would change and what there is now. Nothing is written.
    ///
    /// # Errors
    /// [`Error::Impossible`] when the description makes no sense in itself, or when the API cannot be asked.
    ///
    /// ```no_run
    /// # use contrail_core::service_chain::{Description, Result, ServiceChains};
    /// # fn example(chains: &ServiceChains, description: &Description) -> Result<()> {
    /// let plan = chains.diff(description)?;
    /// for object in &plan.objects {
    ///     println!("{} {} is {}", object.kind, object.name, object.state.as_str());
    /// }
    /// println!("{} changes, {} problems", plan.changes.len(), plan.problems.len());
    /// # Ok(()) }
    /// ```
    pub fn diff(&self, description: &Description) -> Result<Plan> {
        let chain = description.chain(&self.project)?;
        Ok(plan(&chain, &Snapshot::read(&self.client, &chain)?))
    }

    /// What [`ServiceChains::delete`] would change. Nothing is written.
    ///
    /// # Errors
    /// As [`ServiceChains::diff`].
    pub fn removal(&self, description: &Description) -> Result<Plan> {
        let chain = description.chain(&self.project)?;
        Ok(plan_removal(&chain, &Snapshot::read(&self.client, &chain)?))
    }

    /// Removes what the chain made, and returns what was changed. What it did not make stays as it
    /// was; networks, containers and ports may be gone already.
    ///
    /// # Errors
    /// As [`ServiceChains::diff`]; when the API refuses a change, those before it are taken back.
    ///
    /// ```no_run
    /// # use contrail_core::service_chain::{Description, Result, ServiceChains};
    /// # fn example(chains: &ServiceChains, description: &Description) -> Result<()> {
    /// chains.delete(description)?;
    /// assert!(chains.removal(description)?.changes.is_empty());
    /// # Ok(()) }
    /// ```
    pub fn delete(&self, description: &Description) -> Result<Plan> {
        let plan = self.removal(description)?;
        apply::run(&self.client, &plan.changes)?;
        Ok(plan)
    }
}
