//! Collecting what a runtime has forgotten: interfaces of containers that it does not have any more.

use std::collections::BTreeSet;
use std::time::Duration;

use super::types::Detachment;
use super::{Attacher, objects};
use crate::api::ListQuery;
use crate::api::objects::{VirtualMachineInterface, VirtualNetwork};
use crate::deadline::Deadline;
use crate::error::{self, Result};
use crate::fq_name::FqName;
use crate::identity;
use crate::lock::AttachmentLock;

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
        let forgotten = all.iter().filter_map(|interface| self.own(interface));
        let mut outcome = Ok(());
        let mut count = 0;
        for one in forgotten {
            let name = (one.container.clone(), one.ifname.clone());
            if keep.contains(&name) || !self.is_idle(&one) {
                continue;
            }
            log::info!(
                "container {} is forgotten: {} is removed",
                one.container,
                one.ifname
            );
            match self.detach(&[one]) {
                Ok(_) => count += 1,
                Err(error) => {
                    log::error!("{}", error::report(&error));
                    outcome = outcome.and(Err(error));
                }
            }
        }
        outcome.map(|()| count)
    }

    /// The attachment of a VM interface, if this program made it on this host: the mark says so, and
    /// its id follows from what the mark says.
    fn own(&self, interface: &VirtualMachineInterface) -> Option<Detachment> {
        let get = |key| interface.meta.annotations.get(key);
        let is_ours = get(objects::OWNER) == Some(&self.host.owner)
            && get(objects::NODE) == Some(&self.host.node);
        let one = Detachment {
            container: get(objects::CONTAINER)?.to_owned(),
            ifname: get(objects::IFNAME)?.to_owned(),
        };
        let id = identity::interface(&self.host.node, &one.container, &one.ifname);
        (is_ours && interface.meta.uuid == Some(id)).then_some(one)
    }

    fn is_idle(&self, one: &Detachment) -> bool {
        let id = identity::interface(&self.host.node, &one.container, &one.ifname);
        let now = Deadline::after(Duration::ZERO);
        AttachmentLock::acquire(&self.host.run_dir, id, now).is_ok()
    }
}
