//! Whether a port can have a role in a service, given what there is: pure.

use super::instance::stated_network;
use super::port::{leg_of, network, role};
use super::role::ServiceRole;
use crate::api::Resource;
use crate::api::objects::{ServiceInstance, VirtualMachineInterface};
use crate::ownership::chains;
use crate::service_chain::error::{Error, Result};
use crate::service_chain::identified::Identified;
use crate::service_chain::problem::{PortConflict, Problem};
use crate::values::FqName;

/// Whether the port can have this role.
pub(super) fn check(
    wanted: &ServiceRole,
    port: &Identified<VirtualMachineInterface>,
    instance: Option<&ServiceInstance>,
    members: &[VirtualMachineInterface],
) -> Result<()> {
    let taken = |by: PortConflict| Error::Impossible {
        chain: wanted.instance.to_string(),
        problems: vec![Problem::TakenInterface {
            service: wanted.instance.to_string(),
            interface: port.id(),
            by,
        }],
    };
    let leg = wanted.interface;
    let mut elsewhere = port.port_tuple_refs.iter();
    if let Some(other) = elsewhere.find(|other| !other.is_below(&wanted.instance)) {
        return Err(taken(PortConflict::Tuple(other.referent())));
    }
    if let Some(other) = role(port).filter(|role| *role != leg.as_str()) {
        let (actual, wanted) = (other.to_owned(), leg);
        return Err(taken(PortConflict::Role { actual, wanted }));
    }
    let Some(own) = network(port) else {
        return Err(taken(PortConflict::NoNetwork));
    };
    let others = members.iter().filter(|m| m.uuid() != Some(port.id()));
    let others = others.filter_map(leg_of).filter(|(other, _)| *other == leg);
    let others = others.map(|(_, network)| network.to_string());
    let described = instance.filter(|instance| !chains::is_of_attachment(&instance.meta));
    let stated = described.and_then(|instance| stated_network(&instance.properties, leg));
    let own = own.to_string();
    let mut networks = others.chain(stated.map(str::to_owned));
    match networks.find(|network| *network != own) {
        Some(network) => {
            let difference = format!("has its {leg} interface in {network} and not in {own}");
            Err(unfit(&wanted.instance, difference))
        }
        None => Ok(()),
    }
}

pub(super) fn unfit(instance: &FqName, difference: String) -> Error {
    Error::Impossible {
        chain: instance.to_string(),
        problems: vec![Problem::Unfit {
            kind: ServiceInstance::TYPE,
            name: instance.clone(),
            difference,
        }],
    }
}
