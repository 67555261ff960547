//! Status: could a container be attached now?

use uuid::Uuid;

use crate::api::objects::{Project, VirtualNetwork};
use crate::attach::attacher::Attacher;
use crate::attach::error::Result;
use crate::attach::network::{self, leave, subnets};
use crate::attach::spec::Demand;
use crate::error::Error;
use crate::files;
use crate::parallel;
use crate::state::{self, lock::InterfaceLock};
use crate::values::{Deadline, Family, FqName, identity};

/// Whether the services that attaching needs answer.
#[derive(Debug)]
pub struct Status {
    /// The directories of this host's state.
    pub state: crate::Result<()>,
    /// The configuration API, with Keystone before it, in it the project and the networks, and the name of
    /// this host, under which it would get objects.
    pub api: Result<()>,
    /// The vRouter agent, which also serves the containers that are attached already.
    pub agent: crate::Result<()>,
}

impl Attacher {
    /// Whether attachments with these demands could be served: tries the directories, asks the API for the
    /// project and the networks, and probes the agent, in parallel. Nothing of it lasts but the directories.
    ///
    /// ```no_run
    /// # fn example(attacher: &contrail_core::attach::Attacher) -> contrail_core::Result<()> {
    /// use std::time::Duration;
    ///
    /// use contrail_core::Deadline;
    /// use contrail_core::error::report;
    ///
    /// let project = "default-domain:admin".parse()?;
    /// let status = attacher.status(&project, &[], Deadline::after(Duration::from_secs(5)));
    /// if let Err(error) = status.agent {
    ///     eprintln!("{}", report(&error));
    /// }
    /// if let Err(error) = status.api {
    ///     eprintln!("{}", report(&error));
    /// }
    /// # Ok(()) }
    /// ```
    pub fn status(&self, project: &FqName, demands: &[Demand], deadline: Deadline) -> Status {
        let agent = self.backend.agent.until(deadline);
        let ask = || {
            let (project, networks) = parallel::both(
                || self.find_project(project, deadline),
                || {
                    parallel::map(demands.iter().collect(), |one| {
                        self.could_serve(one, deadline)
                    })
                },
            );
            project?;
            networks.into_iter().collect()
        };
        let (agent, api) = parallel::both(|| agent.probe(), ask);
        let state = self.try_state();
        Status { state, api, agent }
    }

    /// What attaching does with the directories of state.
    fn try_state(&self) -> crate::Result<()> {
        InterfaceLock::try_acquire(&self.host.run_dir, Uuid::nil())?;
        state::prepare(&self.host.state_dir)?;
        let probe = self.host.state_dir.join("status");
        files::write_private_unsynced(&probe, b"written and removed by STATUS")?;
        files::remove(&probe).map(drop)
    }

    /// The checks of attaching, in its order.
    fn could_serve(&self, demand: &Demand, deadline: Deadline) -> Result<()> {
        let spec = &demand.network;
        subnets::check_asked(spec, &demand.addresses)?;
        let client = self.client(deadline);
        let families = match client.lookup::<VirtualNetwork>(&spec.fq_name)? {
            // Attaching waits until it is gone.
            Some(found) if !leave::is_going(&found) => {
                let network = network::fitting(&client, spec, &found)?;
                let families = subnets::families(spec, &network.subnets);
                if families.is_empty() {
                    let reason = subnets::why_no_address(&network.subnets, Family::V4, None);
                    let network = network.fq_name;
                    return Err(Error::NoAddress { network, reason }.into());
                }
                families
            }
            _ => {
                network::wanted(&self.host, spec)?;
                subnets::families(spec, &[])
            }
        };
        let check = |family| subnets::check_mtu(demand.mtu, family);
        Ok(families.into_iter().try_for_each(check)?)
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
