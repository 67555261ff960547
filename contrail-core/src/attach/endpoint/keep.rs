//! Keeping what an endpoint has: an agent that was restarted may forget ports, others sweep them, and the
//! API's data can get lost while containers run.

use uuid::Uuid;

use crate::api::objects::VirtualMachineInterface;
use crate::attach::address::Reserve;
use crate::attach::attacher::Attacher;
use crate::attach::endpoint::{Endpoint, EndpointAddress};
use crate::attach::error::Result;
use crate::attach::transaction::{Port, Transaction};
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
    /// It is going or gone: there is nothing to keep.
    Gone,
    /// Somebody works on it at this moment.
    Busy,
}

impl Attacher {
    /// Looks whether the agent still has the port of an endpoint that has joined, and if not, gives it
    /// back, together with the objects that the API has lost. One request to the agent when all is well.
    ///
    /// `is_wanted` is asked while nobody else can work on the endpoint: nothing is made for one that has
    /// left meanwhile.
    ///
    /// # Errors
    /// [`Error::MissingReference`](crate::Error::MissingReference) when the network is gone,
    /// [`Error::AddressInUse`](crate::Error::AddressInUse) when somebody else has got an address
    /// meanwhile; when the API or the agent is down. What was made again stays.
    pub fn keep_endpoint(
        &self,
        endpoint: &Endpoint,
        vm: Uuid,
        is_wanted: impl FnOnce() -> bool,
    ) -> Result<Kept> {
        let attachment = endpoint.attachment();
        let port = self.endpoint_port(endpoint, &attachment);
        let Some(_lock) = InterfaceLock::at_once(&self.host.run_dir, port.id)? else {
            return Ok(Kept::Busy);
        };
        let host_end = || self.backend.dataplane.link(None, &port.host_ifname);
        if !is_wanted() || host_end()?.is_none() {
            return Ok(Kept::Gone);
        }
        // Whoever comes to take the endpoint away waits for this, and must have time left.
        let ends = Deadline::with_undo(self.host.detach_timeout / 2);
        let call = Transaction::new(&self.host, &self.backend, (vm, vec![port.id]), ends);
        let agent = self.backend.agent.until(call.deadline);
        let agent_port = call.agent_port(endpoint, &port);
        if agent.has(&agent_port)? {
            return Ok(Kept::AsItWas);
        }
        let complete = call.is_complete(endpoint, port.id)?;
        if !complete {
            let made = call.make_again(endpoint, port);
            // The next look begins where this one has ended.
            call.stay();
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
    fn is_complete(&self, endpoint: &Endpoint, interface: Uuid) -> Result<bool> {
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
            machines.any(|machine| machine.uuid == Some(self.vm))
                && endpoint.addresses.iter().all(|a| ips.contains(&own(a)))
        }))
    }

    /// Makes the objects that are missing, under the ids that they had.
    fn make_again(&self, endpoint: &Endpoint, port: Port<'_>) -> Result<()> {
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
                        purpose: &endpoint.display_name,
                    },
                ))?;
        }
        self.create_interface(&port)?;
        self.take_addresses(endpoint, port.clone())?;
        // Last: from here on the agent has its configuration, and the port is active.
        self.create_machine(port.wanted)?;
        self.link_machine(&port)?;
        match &endpoint.service {
            Some(service) => self.serve(&port, service),
            None => Ok(()),
        }
    }
}
