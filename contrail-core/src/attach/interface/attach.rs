//! Attach: from a request to interfaces that the vRouter serves.

use uuid::Uuid;

use crate::attach::attacher::Attacher;
use crate::attach::error::Result;
use crate::attach::records::nodes;
use crate::attach::records::returns;
use crate::attach::spec::{Attached, Attachment};
use crate::attach::transaction::{Port, Transaction};
use crate::kernel::{self, Netns};
use crate::parallel;
use crate::values::Deadline;
use crate::values::identity;

impl Attacher {
    /// Attaches one container: makes every interface of `wanted` in its network namespace and joins
    /// it to its virtual network, which is created if the request says how.
    ///
    /// All interfaces must belong to one container and one network namespace. For a single one at
    /// most six requests are made, in three rounds, when the network exists and the token is cached.
    ///
    /// # Errors
    /// Any of [`Error`](crate::attach::Error). What this call did is undone then;
    /// [`Error::Undo`](crate::attach::Error::Undo) names what could not be undone.
    pub fn attach(&self, wanted: &[Attachment]) -> Result<Vec<Attached>> {
        let Some(first) = wanted.first() else {
            return Ok(Vec::new());
        };
        let ports: Vec<Port> = wanted.iter().map(|w| Port::new(&self.host, w)).collect();
        let ids: Vec<Uuid> = ports.iter().map(|port| port.id).collect();
        let ends = Deadline::with_undo(self.host.attach_timeout);
        let _locks = self.lock(&ids, ends.0)?;
        let netns = self.open_free(&ports)?;
        nodes::remember(&self.host.state_dir, self.host.node())?;

        returns::sweep(&self.host.run_dir);
        let vm = identity::virtual_machine(self.host.node(), &first.container);
        let call = Transaction::new(&self.host, &self.backend, (vm, ids), ends);
        call.run(|| {
            ports
                .iter()
                .try_for_each(|port| call.await_return(port.id))?;
            call.attach(ports, &netns)
        })
    }

    /// Opens the network namespace and makes sure that none of the names is taken in it: an
    /// interface that is already there belongs to somebody else and must survive this call. So must the
    /// container's own in another namespace, which its host end tells of.
    fn open_free(&self, ports: &[Port]) -> Result<Netns> {
        let dataplane = &self.backend.dataplane;
        let path = &ports[0].wanted.netns;
        let netns = dataplane.open_netns(path)?;
        for port in ports {
            let inside = (
                Some(&netns),
                &port.container_ifname,
                path.display().to_string(),
            );
            let here = "the host's network namespace".to_owned();
            for (netns, ifname, place) in [inside, (None, &port.host_ifname, here)] {
                if dataplane.link(netns, ifname)?.is_some() {
                    let taken = kernel::Error::InterfaceExists {
                        ifname: ifname.clone(),
                        place,
                    };
                    return Err(taken.into());
                }
            }
        }
        Ok(netns)
    }
}

impl Transaction<'_> {
    fn attach(&self, ports: Vec<Port>, netns: &Netns) -> Result<Vec<Attached>> {
        let reserved = self.reserve(ports, netns)?;
        let attached = parallel::map(reserved, |reserved| {
            let addresses = self.address(&reserved)?;
            self.plug(reserved, addresses, netns)
        });
        attached.into_iter().collect()
    }
}
