//! The first round: creates independent objects in parallel.

use std::net::IpAddr;

use uuid::Uuid;

use crate::api::objects::VirtualNetwork;
use crate::attach::error::{Error, Result};
use crate::attach::network::Network;
use crate::attach::network::subnets;
use crate::attach::objects;
use crate::attach::port::Port;
use crate::attach::port_spec::PortSpec;
use crate::attach::records::networks;
use crate::attach::removal::{self, Proof, Step};
use crate::attach::transaction::Transaction;
use crate::error::{self, Error as ClientError, Layered};
use crate::kernel::{self, Netns, VethSpec};
use crate::parallel;
use crate::values::{Family, identity};

/// A port whose network is known and whose objects and link have been created.
pub(crate) struct Created {
    pub(crate) port: Port,
    pub(crate) network: Network,
    pub(crate) ips: Vec<Ip>,
}

/// An instance IP that the port gets; its address is known early when the caller asked for one.
pub(crate) struct Ip {
    pub(crate) id: Uuid,
    pub(crate) family: Family,
    pub(crate) asked: Option<IpAddr>,
    /// The subnets from which the API is to choose it, one after the other; `None` is any of the network's.
    pub(crate) sources: Vec<Option<Uuid>>,
}

impl Transaction<'_> {
    /// Reads the networks and creates the virtual machine, the VM interfaces and the links, all at
    /// once.
    pub(crate) fn create(&self, ports: Vec<Port>, vm: Uuid, netns: &Netns) -> Result<Vec<Created>> {
        let wanted = ports.first().map(|port| port.wanted.clone());
        let create_machine = || match &wanted {
            Some(wanted) => self.create_machine(vm, wanted),
            None => Ok(()),
        };
        let (machine, created) = parallel::both(create_machine, || {
            parallel::map(ports, |port| self.create_port(port, netns))
        });
        machine?;
        created.into_iter().collect()
    }

    fn create_port(&self, port: Port, netns: &Netns) -> Result<Created> {
        let state_dir = &self.host.state_dir;
        let (interface, name) = (port.id, &port.wanted.network.fq_name);
        let is_new = networks::expect(state_dir, interface, name)?;
        let network = self.create_in_network(&port, netns).inspect_err(|_| {
            // Nothing has happened that another call would have to find out about.
            if is_new && !self.may_use_network(interface) {
                networks::decline(state_dir, interface, name)
                    .unwrap_or_else(|error| log::warn!("{}", error::report(&error)));
            }
        })?;
        let ips = ips(&port, &network)?;
        Ok(Created { port, network, ips })
    }

    fn create_in_network(&self, port: &Port, netns: &Netns) -> Result<Network> {
        let (created, (link, found)) = parallel::both(
            || self.create_interface(port),
            || {
                parallel::both(
                    || self.create_link(port, Some(netns)),
                    || self.find_network(&port.wanted.network),
                )
            },
        );
        link?;
        self.enter_network(port, found?, created)
    }

    /// Ensures that the interface and its network both exist, given the results of looking up the
    /// network and creating the interface. Each may have missed the other: the network was not there
    /// yet, or its last user has just removed it.
    fn enter_network(
        &self,
        port: &Port,
        mut found: Option<Network>,
        created: Result<()>,
    ) -> Result<Network> {
        let spec = &port.wanted.network;
        let mut missed = missed_network(created)?;
        loop {
            let network = match found {
                Some(network) => network,
                None => self.create_network(spec, port.id)?,
            };
            self.note_network(port, &network)?;
            if missed.is_some() {
                missed = missed_network(self.create_interface(port))?;
            }
            let Some(error) = missed else {
                return Ok(network);
            };
            found = self.find_network(spec)?;
            let is_same = found
                .as_ref()
                .is_some_and(|found| found.uuid == network.uuid);
            // Its name may be found for a moment longer than the network itself.
            if self.deadline.has_passed() || is_same && self.exists(&network)? {
                return Err(error);
            }
            missed = Some(error);
        }
    }

    fn exists(&self, network: &Network) -> Result<bool> {
        let found = self
            .client()
            .get_opt_with::<VirtualNetwork>(network.uuid, &["display_name"])?;
        Ok(found.is_some())
    }

    /// Records whether the network is removed with its last user.
    fn note_network(&self, port: &Port, network: &Network) -> Result<()> {
        let state_dir = &self.host.state_dir;
        if !network.owned {
            return Ok(networks::decline(state_dir, port.id, &network.fq_name)?);
        }
        self.note(Step::Networks { interface: port.id });
        networks::join(state_dir, port.id, &network.fq_name, network.uuid)?;
        Ok(())
    }

    /// Creates the virtual machine, unless another interface of the container has done so.
    pub(crate) fn create_machine(&self, vm: Uuid, wanted: &PortSpec) -> Result<()> {
        let object = objects::machine(self.host, vm, wanted);
        self.attempt(Step::Machine(vm), || self.client().ensure(&object))
            .map(|_| ())
    }

    /// Creates the VM interface, again if a crashed attach left one.
    pub(crate) fn create_interface(&self, port: &Port) -> Result<()> {
        let create = || {
            self.attempt(Step::Interface(port.id), || {
                self.client().ensure(&port.object)
            })
        };
        let ensured = create()?;
        if ensured.created && ensured.is_certain {
            return Ok(());
        }
        match removal::is_of_other_machine(self.backend, self.host, port.id, self.deadline) {
            Ok(false) => {}
            Ok(true) => {
                self.forget(&Step::Interface(port.id));
                return Err(self.is_of_other_machine(port.id));
            }
            Err(error) => {
                // What was there before may be another machine's.
                if !ensured.created {
                    self.forget(&Step::Interface(port.id));
                }
                return Err(error.into());
            }
        }
        // A crashed attach left it, perhaps in another network, which an update cannot change.
        log::info!(
            "VM interface {} may be left over from an earlier attach",
            port.id
        );
        let leftovers = vec![
            Step::AgentPort(port.id),
            Step::Service { interface: port.id },
            Step::InstanceIp(identity::instance_ip(port.id, Family::V4)),
            Step::Interface(port.id),
        ];
        let failed = removal::run(
            self.backend,
            self.host,
            leftovers,
            Proof::Known,
            self.deadline,
        );
        match failed.into_iter().next() {
            Some(failed) => Err(failed.error),
            None => {
                self.await_return(port.id)?;
                create().map(|_| ())
            }
        }
    }

    /// The error for an interface that exists because another machine of the same name has such a container.
    fn is_of_other_machine(&self, interface: Uuid) -> Error {
        let reason = format!(
            "another machine of this name has VM interface {interface}: give each host a name of its own"
        );
        ClientError::invalid("node_name", self.host.node(), reason).into()
    }

    /// Makes the veth pair, the container's end in `netns` or, if unset, here.
    pub(crate) fn create_link(&self, port: &Port, netns: Option<&Netns>) -> Result<()> {
        let dataplane = &self.backend.dataplane;
        let spec = VethSpec {
            host: port.host_ifname.clone(),
            container: port.container_ifname.clone(),
            mac: port.mac,
            mtu: port.wanted.mtu,
            alias: port.id.to_string(),
        };
        let create = || {
            dataplane.create_veth(&spec, netns)?;
            self.note(Step::Link(port.id));
            Ok(())
        };
        match create() {
            Err(kernel::Error::InterfaceExists { ifname, .. })
                if self.is_leftover(&spec, &ifname)? =>
            {
                log::info!("interface {ifname} is left over from an earlier attach");
                dataplane.delete_link(&ifname, Some(&spec.alias))?;
                Ok(create()?)
            }
            other => Ok(other?),
        }
    }

    /// Whether the host's interface of that name was made for this very port: the name follows from
    /// the port's id, and the alias is the whole id.
    fn is_leftover(&self, spec: &VethSpec, ifname: &str) -> Result<bool> {
        let link = match ifname == spec.host {
            true => self.backend.dataplane.link(None, ifname)?,
            false => None,
        };
        Ok(link.is_some_and(|link| link.alias.as_ref() == Some(&spec.alias)))
    }
}

/// The error of an interface that could not be created because its network was not there.
fn missed_network(created: Result<()>) -> Result<Option<Error>> {
    match created {
        Ok(()) => Ok(None),
        Err(error) => match error.client_cause() {
            Some(ClientError::MissingReference { .. }) => Ok(Some(error)),
            _ => Err(error),
        },
    }
}

/// Which instance IPs the port gets: one of each family that its network serves.
fn ips(port: &Port, network: &Network) -> Result<Vec<Ip>> {
    let wanted = &port.wanted;
    let families = subnets::families(&wanted.network, &network.subnets);
    let asked = |family| {
        wanted
            .addresses
            .iter()
            .copied()
            .find(|&a| Family::of(a) == family)
    };
    let refuse = |family| {
        let serving = subnets::serving(&wanted.network, &network.subnets);
        let reason = subnets::why_no_address(&serving, family, asked(family));
        Err(ClientError::NoAddress {
            network: network.fq_name.clone(),
            reason,
        }
        .into())
    };
    if families.is_empty() {
        return refuse(Family::V4);
    }
    let unserved = |family: &Family| !families.contains(family) && asked(*family).is_some();
    if let Some(family) = Family::ALL.into_iter().find(unserved) {
        return refuse(family);
    }
    let ip = |family| -> Result<Ip> {
        let asked = asked(family);
        Ok(Ip {
            id: identity::instance_ip(port.id, family),
            family,
            asked,
            sources: match asked {
                // The address decides.
                Some(_) => vec![None],
                None => subnets::sources(&wanted.network, &network.subnets, family)?,
            },
        })
    };
    families.into_iter().map(ip).collect()
}
