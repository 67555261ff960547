//! Status: could a container be attached now?

use crate::api::objects::Project;
use crate::attach::attacher::Attacher;
use crate::error::Error;
use crate::parallel;
use crate::values::Deadline;
use crate::values::FqName;
use crate::values::identity;

/// Whether the services that attaching needs answer.
#[derive(Debug)]
pub struct Status {
    /// The configuration API, with Keystone before it and the project in it, and the name of this host,
    /// under which it would get objects.
    pub api: crate::Result<()>,
    /// The vRouter agent, which also serves the containers that are attached already.
    pub agent: crate::Result<()>,
}

impl Attacher {
    /// Asks the API for the project and probes the agent, in parallel.
    ///
    /// ```no_run
    /// # fn example(attacher: &contrail_core::attach::Attacher) -> contrail_core::Result<()> {
    /// use std::time::Duration;
    ///
    /// use contrail_core::Deadline;
    /// use contrail_core::error::report;
    ///
    /// let project = "default-domain:admin".parse()?;
    /// let status = attacher.status(&project, Deadline::after(Duration::from_secs(5)));
    /// for error in [status.api, status.agent].iter().filter_map(|result| result.as_ref().err()) {
    ///     eprintln!("{}", report(error));
    /// }
    /// # Ok(()) }
    /// ```
    pub fn status(&self, project: &FqName, deadline: Deadline) -> Status {
        let agent = self.backend.agent.until(deadline);
        let (agent, api) =
            parallel::both(|| agent.probe(), || self.find_project(project, deadline));
        Status { api, agent }
    }

    fn find_project(&self, project: &FqName, deadline: Deadline) -> crate::Result<()> {
        identity::check_node(self.host.node())?;
        match self.client(deadline).lookup::<Project>(project)? {
            Some(_) => Ok(()),
            None => Err(Error::NotFound {
                kind: "project",
                name: project.to_string(),
                hint: Some("create it, or name another one with tenant_name".into()),
            }),
        }
    }
}
