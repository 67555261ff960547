//! The second and the third round: link the VM interface to its virtual machine and create the
//! instance IPs; then read the addresses that the API chose.

use std::net::IpAddr;

use crate::api::Resource;
use crate::api::objects::{InstanceIp, VirtualMachine, VirtualMachineInterface};
use crate::attach::error::{Error, Result};
use crate::attach::network::Network;
use crate::attach::network::subnets;
use crate::attach::objects;
use crate::attach::removal::Step;
use crate::attach::spec::Assigned;
use crate::attach::steps::{Ip, Reserved};
use crate::attach::transaction::{Port, Transaction};
use crate::error::Error as ClientError;
use crate::parallel;
use crate::values::FqName;

impl Transaction<'_> {
    /// Gives the port its addresses.
    pub(crate) fn address(&self, reserved: &Reserved) -> Result<Vec<Assigned>> {
        let network = &reserved.network;
        let ips: Vec<&Ip> = reserved.ips.iter().collect();
        let assign = |ip: &Ip| {
            self.create_ip(reserved, ip)?;
            let address = match ip.asked {
                Some(address) => address,
                None => self.chosen_address(network, ip)?,
            };
            let network = &reserved.network;
            Ok(subnets::assigned(
                &network.fq_name,
                &network.subnets,
                address,
            )?)
        };
        let (linked, assigned) = parallel::both(
            || self.link_machine(&reserved.port),
            || parallel::map(ips, assign),
        );
        linked?;
        assigned.into_iter().collect()
    }

    /// Links the VM interface to its virtual machine. That may have vanished meanwhile: another
    /// interface of the container was its last one and has been detached.
    pub(crate) fn link_machine(&self, port: &Port) -> Result<()> {
        let name = FqName::new([self.vm.to_string()]);
        let machine = (VirtualMachine::TYPE, self.vm, &name);
        let link = || {
            self.client()
                .add_ref((VirtualMachineInterface::TYPE, port.id), machine, None)
        };
        match link() {
            Err(error) if is_without_machine(&error) => {
                self.create_machine(port.wanted)?;
                Ok(link()?)
            }
            other => Ok(other?),
        }
    }

    /// Creates an instance IP of the port.
    pub(crate) fn create_ip(&self, reserved: &Reserved, ip: &Ip) -> Result<()> {
        let network = &reserved.network;
        check(reserved, ip)?;
        let object =
            objects::instance_ip(ip.id, ip.family, ip.asked, &reserved.port.object, network);
        let step = Step::InstanceIp(ip.id);
        let create = || self.attempt(step.clone(), || self.client().ensure_address(&object));
        let created = match create() {
            Err(Error::Client(ClientError::NoAddress { .. })) if self.has_stayed(reserved)? => {
                create()
            }
            other => other,
        };
        created
            .map(|_| ())
            .map_err(|error| full(&reserved.network, ip, error))
    }

    /// Whether a network without an address may have had no subnets for a moment: on another host its last
    /// user was leaving, has met this interface, and has given it its subnets back. That is waited for.
    fn has_stayed(&self, reserved: &Reserved) -> Result<bool> {
        if !reserved.network.owned {
            return Ok(false);
        }
        let found = self.find_network(&reserved.port.wanted.network)?;
        Ok(found.is_some_and(|found| found.uuid == reserved.network.uuid))
    }

    /// The address that the API chose: the answer to the creation does not hold it.
    fn chosen_address(&self, network: &Network, ip: &Ip) -> Result<IpAddr> {
        let object: InstanceIp = self.client().get_with(ip.id, &["instance_ip_address"])?;
        let reason = || subnets::why_no_address(&network.subnets, ip.family, None);
        let none = || ClientError::NoAddress {
            network: network.fq_name.clone(),
            reason: reason(),
        };
        Ok(object.address.ok_or_else(none)?)
    }
}

/// The API says "exhausted" for five causes; the subnets tell which one it was.
fn full(network: &Network, ip: &Ip, error: Error) -> Error {
    match error {
        Error::Client(ClientError::NoAddress { network: name, .. })
            if !network.subnets.is_empty() =>
        {
            let reason = subnets::why_no_address(&network.subnets, ip.family, ip.asked);
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
fn check(reserved: &Reserved, ip: &Ip) -> Result<()> {
    subnets::check_mtu(reserved.port.wanted.mtu, ip.family)?;
    let network = &reserved.network;
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
