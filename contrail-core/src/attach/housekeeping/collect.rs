//! Garbage collection: removes interfaces of containers that the runtime no longer has.

use std::collections::BTreeSet;

use crate::api::ListQuery;
use crate::api::objects::{VirtualMachineInterface, VirtualNetwork};
use crate::attach::attacher::Attacher;
use crate::attach::error::Result;
use crate::attach::records::nodes;
use crate::attach::spec::Detachment;
use crate::error::{self, Error};
use crate::ownership::Holder;
use crate::ownership::mark::CONFIGURATION;
use crate::values::Deadline;
use crate::values::FqName;

impl Attacher {
    /// Detaches the interfaces that this program attached to a virtual network on this host by one
    /// configuration and that are not among those to be kept. Interfaces that another call is working on are kept.
    ///
    /// Returns how many were detached. Two requests, and those of a detach for each.
    ///
    /// # Errors
    /// When the API cannot be asked, or the first failure of a detach, after everything else has been
    /// tried; when the deadline has passed before that.
    ///
    /// ```no_run
    /// # fn example(attacher: &contrail_core::attach::Attacher) -> contrail_core::attach::Result<()> {
    /// use std::collections::BTreeSet;
    /// use std::time::Duration;
    ///
    /// use contrail_core::Deadline;
    ///
    /// let keep = BTreeSet::from([("4711".to_owned(), "eth0".to_owned())]);
    /// let network = "default-domain:admin:net1".parse()?;
    /// let deadline = Deadline::after(Duration::from_secs(20));
    /// let count = attacher.collect(&network, "my-configuration", &keep, deadline)?;
    /// println!("{count} interfaces removed");
    /// # Ok(()) }
    /// ```
    pub fn collect(
        &self,
        network: &FqName,
        configuration: &str,
        keep: &BTreeSet<(String, String)>,
        deadline: Deadline,
    ) -> Result<usize> {
        let limit = deadline.remaining();
        let client = self.client(deadline);
        let found = client.lookup::<VirtualNetwork>(network)?;
        let Some(id) = found.and_then(|network| network.meta.uuid) else {
            return Ok(0);
        };
        let query = ListQuery::referring_to(id).fields(&["annotations"]);
        let all: Vec<VirtualMachineInterface> = client.list(&query)?;
        let nodes = nodes::known(&self.host.state_dir, self.host.node());
        let is_meant = |found: &&VirtualMachineInterface| {
            found.meta.annotations.get(CONFIGURATION) == Some(configuration)
        };
        let own = all.iter().filter(is_meant);
        let own = own.filter_map(|found| self.made_here(found, &nodes));
        let mut outcome = Ok(());
        let mut count = 0;
        for made in own {
            let Holder::Container { id, ifname } = made.holder else {
                continue;
            };
            let name = (id, ifname);
            if keep.contains(&name) || !self.is_free(made.interface)? {
                continue;
            }
            if deadline.has_passed() {
                let late = Error::Timeout {
                    operation: format!("removing stale attachments to virtual network {network}"),
                    seconds: limit.as_secs_f32(),
                };
                return Err(late.into());
            }
            let (container, ifname) = name;
            log::info!(
                "the runtime no longer lists {ifname} of container {container}: removing it"
            );
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
