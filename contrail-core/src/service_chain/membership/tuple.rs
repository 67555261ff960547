//! The port tuple of a member: how it is made, and what it means to leave it.

use uuid::Uuid;

use super::port::{clear_role, role};
use crate::api::objects::{PortTuple, VirtualMachineInterface};
use crate::api::{KeyValuePairs, ListQuery};
use crate::ownership::chains as mark;
use crate::service_chain::change::{Change, Target};
use crate::service_chain::identified::Identified;
use crate::values::FqName;

/// The field with the ports of a port tuple, which the API leaves out unless it is asked for.
pub(super) const PORTS: &str = "virtual_machine_interface_back_refs";

/// A port tuple as it is made.
pub(in crate::service_chain) fn new_tuple(
    name: FqName,
    label: &str,
    mark: KeyValuePairs,
) -> PortTuple {
    let mut tuple = PortTuple::new(name);
    tuple.meta.display_name = Some(label.to_owned());
    tuple.meta.annotations = mark;
    tuple
}

/// Port tuples in full, with their ports.
pub(in crate::service_chain) fn with_ports(query: ListQuery) -> ListQuery {
    query.detail().fields(&[PORTS])
}

/// The ports of a port tuple.
pub(in crate::service_chain) fn ports(tuple: &PortTuple) -> impl Iterator<Item = Target> {
    let refs = tuple.virtual_machine_interface_back_refs.iter();
    refs.filter_map(Target::referred::<VirtualMachineInterface, _>)
}

/// Takes a port out of a port tuple.
pub(in crate::service_chain) fn leave(port: Target, tuple: &Identified<PortTuple>) -> Change {
    Change::Leave {
        port,
        tuple: Target::of(tuple),
    }
}

/// Whether a port that stays loses its role when its port tuple goes: a chain gave it. One that the port
/// had before, or took when it was attached, is its own.
pub(super) fn takes_role(port: Uuid, tuple: &PortTuple) -> bool {
    mark::is_by_chain(&tuple.meta) && !mark::kept_roles(&tuple.meta).contains(&port)
}

/// Takes the role from a port that stays when its port tuple goes, see [`takes_role`].
pub(in crate::service_chain) fn take_role(
    port: &Identified<VirtualMachineInterface>,
    tuple: &PortTuple,
) -> Option<Change> {
    (takes_role(port.id(), tuple) && role(port).is_some()).then(|| clear_role(port))
}
