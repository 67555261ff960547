//! Attach: from a request to interfaces that the vRouter serves.

use std::path::Path;

use uuid::Uuid;

use crate::attach::attacher::Attacher;
use crate::attach::error::Result;
use crate::attach::network::subnets;
use crate::attach::port::Port;
use crate::attach::port_spec::PortSpec;
use crate::attach::records::nodes;
use crate::attach::records::returns;
use crate::attach::spec::{Attached, Attachment};
use crate::attach::transaction::Transaction;
use crate::kernel::{self, Netns};
use crate::parallel;
use crate::values::Deadline;
use crate::values::identity;

impl Attacher {
    /// Attaches one container: makes every interface of `wanted` in its network namespace and joins
    /// it to its virtual network, which is created if the request says how.
    ///
    /// All interfaces belong to one container and one network namespace. For a single one at
    /// most six requests are made, in three rounds, when the network exists and the token is cached.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) if the interfaces are of several containers or namespaces; any other
    /// [`Error`](crate::attach::Error). What this call did is undone then;
    /// [`Error::Undo`](crate::attach::Error::Undo) names what could not be undone.
    ///
    /// ```no_run
    /// # fn example(attacher: &contrail_core::attach::Attacher) -> Result<(), Box<dyn std::error::Error>> {
    /// use contrail_core::attach::{Attachment, Error, NetworkSpec, SubnetSpec};
    /// use contrail_core::error::report;
    ///
    /// let network = NetworkSpec {
    ///     fq_name: "default-domain:admin:net1".parse()?,
    ///     subnets: vec![SubnetSpec::new("10.1.1.0/24".parse()?)],
    /// };
    /// let wanted = Attachment {
    ///     addresses: vec!["10.1.1.10".parse()?],
    ///     ..Attachment::new("4711", "eth0", "/run/netns/c1", network)
    /// };
    /// match attacher.attach(&[wanted]) {
    ///     Ok(attached) => println!("{} has {}", attached[0].ifname, attached[0].addresses[0].address),
    ///     Err(error @ Error::Undo { .. }) => eprintln!("something is left: {}", report(&error)),
    ///     Err(error) if error.is_transient() => eprintln!("try again later: {}", report(&error)),
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # Ok(()) }
    /// ```
    pub fn attach(&self, wanted: &[Attachment]) -> Result<Vec<Attached>> {
        let Some(first) = wanted.first() else {
            return Ok(Vec::new());
        };
        check_one_container(first, wanted)?;
        for one in wanted {
            subnets::check_asked(&one.network, &one.addresses)?;
        }
        let port = |wanted| Port::new(&self.host, PortSpec::from(wanted));
        let ports: Vec<Port> = wanted.iter().map(port).collect();
        let ids: Vec<Uuid> = ports.iter().map(|port| port.id).collect();
        let ends = Deadline::with_undo(self.host.attach_timeout);
        let _locks = self.lock(&ids, ends.0)?;
        let netns = self.open_free(&first.netns, &ports)?;
        nodes::remember(&self.host.state_dir, self.host.node())?;

        returns::sweep(&self.host.run_dir);
        let vm = identity::virtual_machine(self.host.node(), &first.container);
        let transaction = Transaction::new(&self.host, &self.backend, ids, ends);
        transaction.run(|| {
            ports
                .iter()
                .try_for_each(|port| transaction.await_return(port.id))?;
            let created = transaction.create(ports, vm, &netns)?;
            let created = created.into_iter().zip(wanted).collect();
            let attached = parallel::map(created, |(created, wanted): (_, &Attachment)| {
                let addresses = transaction.address(&created, vm)?;
                transaction.plug(created, vm, addresses, &wanted.routes, &netns)
            });
            attached.into_iter().collect()
        })
    }

    /// Opens the network namespace and makes sure that none of the names is taken in it: an
    /// interface that is already there belongs to another program and must survive this call. So must the
    /// container's own in another namespace, which its host end reveals.
    fn open_free(&self, path: &Path, ports: &[Port]) -> Result<Netns> {
        let dataplane = &self.backend.dataplane;
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

/// Refuses interfaces of several containers: one namespace is opened, and one virtual machine is made.
fn check_one_container(first: &Attachment, wanted: &[Attachment]) -> crate::Result<()> {
    let place =
        |one: &Attachment| format!("container {} in {}", one.container, one.netns.display());
    let expected = place(first);
    match wanted.iter().find(|one| place(one) != expected) {
        None => Ok(()),
        Some(other) => Err(crate::Error::invalid(
            format!("interface {}", other.ifname),
            place(other),
            format!(
                "one call attaches one container: {} is of {expected}",
                first.ifname
            ),
        )),
    }
}
