//! Collecting what a runtime has forgotten: interfaces of containers that it does not have any more.

use std::collections::BTreeSet;

use super::types::Detachment;
use super::{Attacher, nodes};
use crate::api::ListQuery;
use crate::api::objects::{VirtualMachineInterface, VirtualNetwork};
use crate::deadline::Deadline;
use crate::error::{self, Result};
use crate::fq_name::FqName;

impl Attacher {
    /// Detaches the interfaces that this program attached to a virtual network on this host and that
    /// are not among those to be kept. What somebody is just working on stays.
    ///
    /// Returns how many were detached. Two requests, and those of a detach for each.
    ///
    /// # Errors
    /// When the API cannot be asked, or the first failure of a detach, after everything else has been
    /// tried.
    pub fn collect(
        &self,
        network: &FqName,
        keep: &BTreeSet<(String, String)>,
        deadline: Deadline,
    ) -> Result<usize> {
        let client = self.client(deadline);
        let found = client.lookup::<VirtualNetwork>(network)?;
        let Some(id) = found.and_then(|network| network.meta.uuid) else {
            return Ok(0);
        };
        let query = ListQuery::referring_to(id).fields(&["annotations"]);
        let all: Vec<VirtualMachineInterface> = client.list(&query)?;
        let nodes = nodes::known(&self.host.state_dir, &self.host.node)?;
        let own = all.iter().filter_map(|found| self.made_here(found, &nodes));
        let mut outcome = Ok(());
        let mut count = 0;
        for (interface, container, ifname) in own {
            let name = (container, ifname);
            if keep.contains(&name) || !self.is_free(interface)? {
                continue;
            }
            let (container, ifname) = name;
            log::info!("container {container} is forgotten: {ifname} is removed");
            match self.detach(&[Detachment { container, ifname }]) {
                Ok(_) => count += 1,
                Err(error) => {
                    log::error!("{}", error::report(&error));
                    outcome = outcome.and(Err(error));
                }
            }
        }
        outcome.map(|()| count)
    }
}
