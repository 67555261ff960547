//! What a port itself tells of its membership: its role, its network, the port tuple that it is in.

use serde_json::json;

use crate::api::Ref;
use crate::api::objects::{InterfaceProperties, VirtualMachineInterface};
use crate::service_chain::change::{Change, Target};
use crate::service_chain::identified::Identified;
use crate::service_chain::types::Leg;
use crate::values::FqName;

/// The port tuple of a service instance that a port is in.
pub(crate) fn tuple_in<'a>(
    port: &'a VirtualMachineInterface,
    instance: &FqName,
) -> Option<&'a Ref> {
    let mut joined = port.port_tuple_refs.iter();
    joined.find(|tuple| tuple.is_below(instance))
}

/// The role and the network of a port that has both.
pub(super) fn leg_of(port: &VirtualMachineInterface) -> Option<(Leg, &FqName)> {
    Some((role(port)?.parse().ok()?, network(port)?))
}

/// The network of a port.
pub(in crate::service_chain) fn network(port: &VirtualMachineInterface) -> Option<&FqName> {
    port.virtual_network_refs.first()?.name()
}

/// The role that a port has, as the API spells it.
pub(in crate::service_chain) fn role(port: &VirtualMachineInterface) -> Option<&str> {
    port.properties.as_ref()?.service_interface_type.as_deref()
}

/// Gives a port a role.
pub(in crate::service_chain) fn set_role(
    port: &Identified<VirtualMachineInterface>,
    leg: Leg,
) -> Change {
    change_role(
        port,
        Some(leg.as_str().to_owned()),
        format!("to be a {leg} port"),
    )
}

/// Takes a port's role away.
pub(in crate::service_chain) fn clear_role(port: &Identified<VirtualMachineInterface>) -> Change {
    change_role(port, None, "to have no role".to_owned())
}

fn change_role(
    port: &Identified<VirtualMachineInterface>,
    role: Option<String>,
    what: String,
) -> Change {
    let value = |properties: &Option<InterfaceProperties>| {
        let used = properties.as_ref();
        let used = used.filter(|p| p.service_interface_type.is_some() || !p.rest.is_empty());
        json!({"virtual_machine_interface_properties": used})
    };
    let mut properties = port.properties.clone().unwrap_or_default();
    properties.service_interface_type = role;
    Change::Update {
        target: Target::of(port),
        what,
        before: value(&port.properties),
        after: value(&Some(properties)),
    }
}
