//! Keeping what an endpoint has: an agent that was restarted may forget ports, others sweep them, and the
//! API's data can get lost while containers run.

use uuid::Uuid;

use super::spec::{Endpoint, EndpointAddress};
use crate::api::objects::VirtualMachineInterface;
use crate::attach::attacher::Attacher;
use crate::attach::error::Result;
use crate::attach::port::Port;
use crate::attach::spec::Reserve;
use crate::attach::transaction::Transaction;
use crate::ownership::ReservedFor;
use crate::state::lock::InterfaceLock;
use crate::values::Deadline;
use crate::values::{Family, identity};

/// What looking after an endpoint has led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The agent has its port as it was posted.
    AsItWas,
    /// The agent has its port again.
    PortAgain,
    /// The API has its objects again, and the agent its port.
    ObjectsAgain,
    /// It is being removed or gone: there is nothing to keep.
    Gone,
    /// Another call is working on it now.
    Busy,
}

impl Attacher {
    /// Checks whether the agent still has the port of an endpoint that has joined. If not, restores it,
    /// together with the objects that the API has lost. One request to the agent when all is well.
    ///
    /// `is_wanted` is called while no other call can work on the endpoint: nothing is created for one that
    /// has left in the meantime.
    ///
    /// # Errors
    /// [`Error::MissingReference`](crate::Error::MissingReference) when the network is gone,
    /// [`Error::AddressInUse`](crate::Error::AddressInUse) when an address was given to
    /// another interface in the meantime; when the API or the agent is down. What was restored stays.
    pub fn keep_endpoint(
        &self,
        endpoint: &Endpoint,
        vm: Uuid,
        is_wanted: impl FnOnce() -> bool,
    ) -> Result<Kept> {
        let port = Port::new(&self.host, endpoint.into());
        let Some(_lock) = InterfaceLock::try_acquire(&self.host.run_dir, port.id)? else {
            return Ok(Kept::Busy);
        };
        let host_end = || self.backend.dataplane.link(None, &port.host_ifname);
        if !is_wanted() || host_end()?.is_none() {
            return Ok(Kept::Gone);
        }
        // A call that removes the endpoint waits for this, and must have time left.
        let ends = Deadline::with_undo(self.host.detach_timeout / 2);
        let transaction = Transaction::new(&self.host, &self.backend, vec![port.id], ends);
        let agent = self.backend.agent.until(transaction.deadline);
        let agent_port = transaction.agent_port(endpoint, &port, vm);
        if agent.has(&agent_port)? {
            return Ok(Kept::AsItWas);
        }
        let complete = transaction.is_complete(endpoint, port.id, vm)?;
        if !complete {
            let made = transaction.make_again(endpoint, port, vm);
            // The next check begins where this one ended.
            transaction.stay();
            made?;
        }
        agent.add(&agent_port)?;
        Ok(match complete {
            true => Kept::PortAgain,
            false => Kept::ObjectsAgain,
        })
    }
}

impl Transaction<'_> {
    /// Whether the API has all objects of an endpoint that has joined.
    fn is_complete(&self, endpoint: &Endpoint, interface: Uuid, vm: Uuid) -> Result<bool> {
        let fields = ["virtual_machine_refs", "instance_ip_back_refs"];
        let found = self
            .client()
            .get_opt_with::<VirtualMachineInterface>(interface, &fields)?;
        Ok(found.is_some_and(|object| {
            let mut machines = object.virtual_machine_refs.iter();
            let ips = object.instance_ip_back_refs.iter();
            let ips: Vec<Uuid> = ips.filter_map(|ip| ip.uuid).collect();
            let own = |address: &EndpointAddress| {
                let family = Family::of(address.address);
                let computed = || identity::instance_ip(interface, family);
                address.reserved.unwrap_or_else(computed)
            };
            machines.any(|machine| machine.uuid == Some(vm))
                && endpoint.addresses.iter().all(|a| ips.contains(&own(a)))
        }))
    }

    /// Makes the objects that are missing, under the ids that they had.
    fn make_again(&self, endpoint: &Endpoint, port: Port, vm: Uuid) -> Result<()> {
        for address in &endpoint.addresses {
            let Some(id) = address.reserved else { continue };
            self.client()
                .ensure_address(&crate::attach::objects::reserved_ip(
                    self.host,
                    &Reserve {
                        id,
                        network: &endpoint.network,
                        network_id: endpoint.network_id,
                        family: Family::of(address.address),
                        address: Some(address.address),
                        subnet: None,
                        reserved_for: ReservedFor::Interface,
                        purpose: &endpoint.display_name,
                    },
                ))?;
        }
        self.create_interface(&port)?;
        self.take_addresses(endpoint, port.clone())?;
        // Last: from here on the agent has its configuration, and the port is active.
        self.create_machine(vm, &port.wanted)?;
        self.link_machine(&port, vm)?;
        match &endpoint.service {
            Some(service) => self.serve(&port, vm, service),
            None => Ok(()),
        }
    }
}
