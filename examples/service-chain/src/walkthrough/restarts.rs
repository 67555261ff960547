//! Members restart: their ports are new ones, so the chain is closed until `apply` has made those members.

use crate::chain;
use crate::cni::Namespace;
use crate::containers::{Containers, NETWORKS};
use crate::failure::Failure;
use crate::member::Member;
use crate::path;
use crate::programs::Programs;

/// Who takes part.
pub struct Scene<'a> {
    /// The plugins and the command.
    pub programs: &'a Programs,
    /// What runs the containers.
    pub containers: &'a mut dyn Containers,
    /// The namespace that is the second service.
    pub namespace: &'a Namespace,
    /// Who talks through the services.
    pub ends: [&'a Member; 2],
    /// The services, as they are at present.
    pub services: [Member; 2],
}

impl Scene<'_> {
    /// Each service restarts, then both while neither is there.
    pub fn tell(&mut self) -> Result<(), Failure> {
        self.restart_container()?;
        self.comes_back(&["cnmSI"])?;
        self.namespace.detach(self.programs)?;
        self.attach_namespace()?;
        self.comes_back(&["cniSI"])?;
        self.namespace.detach(self.programs)?;
        self.restart_container()?;
        self.attach_namespace()?;
        self.comes_back(&["cnmSI", "cniSI"])
    }

    fn restart_container(&mut self) -> Result<(), Failure> {
        self.services[0] = self.containers.restart(&self.services[0])?;
        Ok(())
    }

    fn attach_namespace(&mut self) -> Result<(), Failure> {
        self.services[1] = self.namespace.attach(self.programs)?;
        Ok(())
    }

    /// The chain is not built, and after `apply` the packets take the same path as before.
    fn comes_back(&self, restarted: &[&str]) -> Result<(), Failure> {
        let chain = self.chain()?;
        chain::is_not_built(self.programs, &chain, restarted)?;
        chain::apply(self.programs, &chain)?;
        let [cnm_si, cni_si] = &self.services;
        let networks = NETWORKS.map(|network| network.name);
        path::measure(self.ends, [cnm_si, cni_si], networks)?;
        Ok(())
    }

    /// The chain with the container as it is at present.
    pub fn chain(&self) -> Result<String, Failure> {
        chain::with_member(self.containers.chain_member(&self.services[0]))
    }
}
