//! Whether a port can have a role in a service, given what there is: pure.

use super::role::ServiceRole;
use crate::api::Resource;
use crate::api::objects::{ServiceInstance, VirtualMachineInterface};
use crate::ownership::chains as mark;
use crate::service_chain::error::{Error, Result};
use crate::service_chain::problem::Problem;
use crate::service_chain::services::role;
use crate::service_chain::types::Leg;
use crate::values::FqName;

/// Whether the port can have this role.
pub(in crate::service_chain) fn check(
    wanted: &ServiceRole,
    port: &VirtualMachineInterface,
    instance: Option<&ServiceInstance>,
    members: &[VirtualMachineInterface],
) -> Result<()> {
    let taken = |by: String| Error::Impossible {
        chain: wanted.instance.to_string(),
        problems: vec![Problem::TakenInterface {
            service: wanted.instance.to_string(),
            interface: port.uuid().unwrap_or_default(),
            by,
        }],
    };
    let mut elsewhere = port.port_tuple_refs.iter();
    if let Some(other) = elsewhere.find(|other| other.to.parent() != wanted.instance) {
        return Err(taken(format!(
            "is already a member of port tuple {}",
            other.to
        )));
    }
    if let Some(other) = role(port).filter(|role| *role != wanted.interface.as_str()) {
        let wanted = wanted.interface;
        return Err(taken(format!("already has the role {other}, not {wanted}")));
    }
    let own = network(port);
    let mut others = members
        .iter()
        .filter(|m| m.uuid() != port.uuid())
        .filter_map(leg_of);
    let other = others.find(|(leg, network)| *leg == wanted.interface && *network != own);
    let stated = instance.filter(|instance| !mark::is_of_attachment(&instance.meta));
    let stated = stated.and_then(|instance| stated_network(instance, wanted.interface));
    let stated = stated.filter(|network| *network != own);
    if let Some(network) = other.map(|(_, network)| network).or(stated) {
        let difference = format!(
            "has its {} interface in {network} and not in {own}",
            wanted.interface
        );
        return Err(unfit(&wanted.instance, difference));
    }
    Ok(())
}

pub(in crate::service_chain) fn unfit(instance: &FqName, difference: String) -> Error {
    Error::Impossible {
        chain: instance.to_string(),
        problems: vec![Problem::Unfit {
            kind: ServiceInstance::TYPE,
            name: instance.clone(),
            difference,
        }],
    }
}

/// What a service instance says of one of its networks.
fn stated_network(instance: &ServiceInstance, leg: Leg) -> Option<String> {
    let properties = &instance.properties;
    let network = match leg {
        Leg::Left => &properties.left_virtual_network,
        Leg::Right => &properties.right_virtual_network,
        Leg::Management => &properties.management_virtual_network,
    };
    network.clone().filter(|network| !network.is_empty())
}

pub(in crate::service_chain) fn is_member(
    port: &VirtualMachineInterface,
    instance: &FqName,
) -> bool {
    let mut joined = port.port_tuple_refs.iter();
    joined.any(|tuple| tuple.to.parent() == *instance)
}

pub(in crate::service_chain) fn leg_of(port: &VirtualMachineInterface) -> Option<(Leg, String)> {
    Some((role(port)?.parse().ok()?, network(port)))
}

pub(in crate::service_chain) fn network(port: &VirtualMachineInterface) -> String {
    let network = port.virtual_network_refs.first();
    network.map_or(String::new(), |network| network.to.to_string())
}
