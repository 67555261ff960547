//! Restarts of the services: they come back with new ports, so the chain is not built until `apply` has
//! made these ports members.

use super::chain;
use crate::failure::Failure;
use crate::members::{Containers, Member, NETWORKS, Namespace};
use crate::path;
use crate::programs::Programs;

/// The members and what runs them.
pub struct Scene<'a> {
    /// The programs.
    pub programs: &'a Programs,
    /// What runs the containers.
    pub containers: &'a mut dyn Containers,
    /// The namespace that is the second service.
    pub namespace: &'a Namespace,
    /// The members that exchange packets through the services.
    pub ends: [&'a Member; 2],
    /// The services in their current state.
    pub services: [Member; 2],
}

impl Scene<'_> {
    /// Restarts each service, then both at the same time.
    pub fn tell(&mut self) -> Result<(), Failure> {
        self.restart_container()?;
        self.recovers(&["cnmSI"])?;
        self.namespace.detach(self.programs)?;
        self.attach_namespace()?;
        self.recovers(&["cniSI"])?;
        self.namespace.detach(self.programs)?;
        self.restart_container()?;
        self.attach_namespace()?;
        self.recovers(&["cnmSI", "cniSI"])
    }

    fn restart_container(&mut self) -> Result<(), Failure> {
        self.services[0] = self.containers.restart(&self.services[0])?;
        Ok(())
    }

    fn attach_namespace(&mut self) -> Result<(), Failure> {
        self.services[1] = self.namespace.attach(self.programs)?;
        Ok(())
    }

    /// Checks that the chain is not built, and that packets take the same path as before after `apply`.
    fn recovers(&self, restarted: &[&str]) -> Result<(), Failure> {
        let chain = self.chain()?;
        chain::is_not_built(self.programs, &chain, restarted)?;
        chain::apply(self.programs, &chain)?;
        let [cnm_si, cni_si] = &self.services;
        let networks = NETWORKS.map(|network| network.name);
        path::measure(self.ends, [cnm_si, cni_si], networks)?;
        Ok(())
    }

    /// The chain file with the current container.
    pub fn chain(&self) -> Result<String, Failure> {
        chain::with_member(self.containers.chain_member(&self.services[0]))
    }
}
