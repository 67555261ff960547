//! Reading and writing the service chains of a project.

use super::apply;
use super::description::Description;
use super::error::{Error, Result};
use super::plan::{Plan, plan, plan_removal};
use super::snapshot::Snapshot;
use crate::api::Client;
use crate::values::FqName;

/// The service chains of a project.
#[derive(Clone)]
pub struct ServiceChains {
    pub(super) client: Client,
    pub(super) project: FqName,
}

impl ServiceChains {
    /// The chains of a project, `domain:project`.
    pub fn new(client: Client, project: FqName) -> Self {
        Self { client, project }
    }

    /// Applies the chain to the controller, and returns what was changed: nothing if it was there.
    ///
    /// # Errors
    /// [`Error::Impossible`] with all problems; nothing was written then. Any other error of the API;
    /// what had been done was then rolled back, and [`Error::Undo`] names what could not be.
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
    /// As [`ServiceChains::diff`]; when the API refuses a change, those before it are rolled back.
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
