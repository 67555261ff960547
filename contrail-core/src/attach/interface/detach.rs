//! Detach: removes everything that an attachment created, found by computed id.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::attach::attacher::Attacher;
use crate::attach::error::Result;
use crate::attach::records::nodes;
use crate::attach::records::returns;
use crate::attach::removal::{self, Detached, Proof, Step};
use crate::attach::spec::Detachment;
use crate::values::Deadline;
use crate::values::{Family, identity};

impl Attacher {
    /// Removes interfaces: agent port, link, instance IP, VM interface, and the virtual machine
    /// when it has no other interface. What is not there is fine, so this may be repeated and may be
    /// called for containers that never existed.
    ///
    /// One interface takes four requests to the API, of which one asks whether it is a member of a
    /// service, and one to the agent. A member takes more: the other ports of the container leave the
    /// service with it, see [`ServiceRoles::dissolve`](crate::service_chain::ServiceRoles::dissolve).
    ///
    /// # Errors
    /// What a retry could not fix either: an object that another client uses, or a state directory
    /// that is not writable while a removal must be deferred.
    ///
    /// ```no_run
    /// # fn example(attacher: &contrail_core::attach::Attacher) -> contrail_core::attach::Result<()> {
    /// use contrail_core::attach::Detachment;
    ///
    /// let interface = Detachment { container: "4711".into(), ifname: "eth0".into() };
    /// let detached = attacher.detach(&[interface])?;
    /// if detached.deferred > 0 {
    ///     println!("{} removals are deferred until the next call", detached.deferred);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn detach(&self, interfaces: &[Detachment]) -> Result<Detached> {
        let deadline = Deadline::after(self.host.detach_timeout);
        returns::sweep(&self.host.run_dir);
        let machines = self.machines(interfaces);
        let ids: Vec<Uuid> = machines.iter().map(|(id, _)| *id).collect();
        let _locks = self.lock(&ids, deadline)?;
        let mut steps: Vec<Step> = ids
            .iter()
            .flat_map(|&id| Step::of_interface(id, &[Family::V4]))
            .collect();
        let machines: BTreeSet<Uuid> = machines.into_iter().map(|(_, vm)| vm).collect();
        steps.extend(machines.into_iter().map(Step::Machine));
        let failed = removal::run(
            &self.backend,
            &self.host,
            steps.clone(),
            Proof::LinkOrMark,
            deadline,
        );
        self.defer_failed(&ids, &steps, failed)
    }

    /// The ids of the interfaces, each with the id of its virtual machine, under every name that this
    /// host has had.
    fn machines(&self, interfaces: &[Detachment]) -> Vec<(Uuid, Uuid)> {
        let nodes = nodes::known(&self.host.state_dir, self.host.node());
        let ids = nodes.iter().flat_map(|node| {
            interfaces.iter().map(|wanted| {
                let container = &wanted.container;
                (
                    identity::interface(node, container, &wanted.ifname),
                    identity::virtual_machine(node, container),
                )
            })
        });
        ids.collect()
    }
}
