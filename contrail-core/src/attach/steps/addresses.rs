//! The second and the third round: link the VM interface to its virtual machine and create the
//! instance IPs; then read the addresses that the API chose.

use std::net::IpAddr;

use uuid::Uuid;

use crate::api::objects::{InstanceIp, VirtualMachine, VirtualMachineInterface};
use crate::api::{Ref, Resource};
use crate::attach::error::{Error, Result};
use crate::attach::network::subnets::{self, Subnet};
use crate::attach::objects;
use crate::attach::port::Port;
use crate::attach::removal::Step;
use crate::attach::spec::Assigned;
use crate::attach::steps::{Created, Ip};
use crate::attach::transaction::Transaction;
use crate::error::{Error as ClientError, Layered};
use crate::parallel;
use crate::values::FqName;

impl Transaction<'_> {
    /// Gives the port its addresses.
    pub(crate) fn address(&self, created: &Created, vm: Uuid) -> Result<Vec<Assigned>> {
        let network = &created.network;
        let ips: Vec<&Ip> = created.ips.iter().collect();
        let assign = |ip: &Ip| {
            let address = self.take_address(created, ip)?;
            Ok(subnets::assigned(
                &network.fq_name,
                &network.subnets,
                address,
            )?)
        };
        let (linked, assigned) = parallel::both(
            || self.link_machine(&created.port, vm),
            || parallel::map(ips, assign),
        );
        linked?;
        assigned.into_iter().collect()
    }

    /// Creates an instance IP of the port, of the first of its subnets that has an address.
    fn take_address(&self, created: &Created, ip: &Ip) -> Result<IpAddr> {
        let mut sources = ip.sources.iter().copied();
        let mut source = sources.next().flatten();
        loop {
            let taken = self
                .create_ip(created, ip, source)
                .and_then(|()| match ip.asked {
                    Some(address) => Ok(address),
                    None => self.chosen_address(created, ip),
                });
            let is_full = |error: &Error| {
                matches!(error.cause(), Error::Client(ClientError::NoAddress { .. }))
            };
            match (taken, sources.next()) {
                (Err(error), Some(next)) if is_full(&error) => {
                    // The API makes it without an address where the chosen subnet is full.
                    self.client().delete::<InstanceIp>(ip.id)?;
                    source = next;
                }
                (taken, _) => return taken,
            }
        }
    }

    /// Links the VM interface to its virtual machine. That may be gone by now: another
    /// interface of the container was its last one and has been detached.
    pub(crate) fn link_machine(&self, port: &Port, vm: Uuid) -> Result<()> {
        let name = FqName::new([vm.to_string()]);
        let machine = (VirtualMachine::TYPE, vm, &name);
        let link = || {
            self.client()
                .add_ref((VirtualMachineInterface::TYPE, port.id), machine, None)
        };
        match link() {
            Err(error) if is_without_machine(&error) => {
                self.create_machine(vm, &port.wanted)?;
                Ok(link()?)
            }
            other => Ok(other?),
        }
    }

    /// Creates an instance IP of the port, from a subnet or from any.
    pub(crate) fn create_ip(&self, created: &Created, ip: &Ip, subnet: Option<Uuid>) -> Result<()> {
        let network = &created.network;
        check(created, ip)?;
        let network = Ref::new(network.fq_name.clone(), network.uuid);
        let object = objects::instance_ip(
            ip.id,
            ip.family,
            ip.asked,
            subnet,
            &created.port.object,
            network,
        );
        let step = Step::InstanceIp(ip.id);
        let create = || self.attempt(step.clone(), || self.client().ensure_address(&object));
        let outcome = match create() {
            Err(Error::Client(ClientError::NoAddress { .. })) if self.has_stayed(created)? => {
                create()
            }
            other => other,
        };
        outcome
            .map(|_| ())
            .map_err(|error| full(created, ip, error))
    }

    /// Whether a network without an address may have had no subnets for a moment: on another host its last
    /// user was leaving, has met this interface, and has given it its subnets back. That is waited for.
    fn has_stayed(&self, created: &Created) -> Result<bool> {
        if !created.network.owned {
            return Ok(false);
        }
        let found = self.find_network(&created.port.wanted.network)?;
        Ok(found.is_some_and(|found| found.uuid == created.network.uuid))
    }

    /// The address that the API chose: the answer to the creation does not hold it.
    fn chosen_address(&self, created: &Created, ip: &Ip) -> Result<IpAddr> {
        let object: InstanceIp = self.client().get_with(ip.id, &["instance_ip_address"])?;
        let none = || ClientError::NoAddress {
            network: created.network.fq_name.clone(),
            reason: subnets::why_no_address(&serving(created), ip.family, None),
        };
        Ok(object.address.ok_or_else(none)?)
    }
}

fn serving(created: &Created) -> Vec<Subnet> {
    subnets::serving(&created.port.wanted.network, &created.network.subnets)
}

/// The API says "exhausted" for five causes; the subnets show which one it was.
fn full(created: &Created, ip: &Ip, error: Error) -> Error {
    let serving = serving(created);
    match error {
        Error::Client(ClientError::NoAddress { network: name, .. }) if !serving.is_empty() => {
            let reason = subnets::why_no_address(&serving, ip.family, ip.asked);
            Error::Client(ClientError::NoAddress {
                network: name,
                reason,
            })
        }
        other => other,
    }
}

fn is_without_machine(error: &ClientError) -> bool {
    matches!(error.cause(), ClientError::NotFound { kind, .. } if *kind == VirtualMachine::TYPE)
}

/// What the API would refuse for another reason, or the kernel after it.
fn check(created: &Created, ip: &Ip) -> Result<()> {
    subnets::check_mtu(created.port.wanted.mtu, ip.family)?;
    let network = &created.network;
    let purpose = |address| Some((address, subnets::purpose(&network.subnets, address)?));
    match ip.asked.and_then(purpose) {
        None => Ok(()),
        Some((address, purpose)) => Err(ClientError::NoAddress {
            network: network.fq_name.clone(),
            reason: format!("{address} is {purpose} of its subnet"),
        }
        .into()),
    }
}
