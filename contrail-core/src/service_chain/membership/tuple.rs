//! The port tuple of a member: how it is made, and what it means to leave it.

use uuid::Uuid;

use super::port::{clear_role, role};
use crate::api::objects::{PortTuple, VirtualMachineInterface};
use crate::api::{KeyValuePairs, ListQuery};
use crate::ownership::chains;
use crate::service_chain::change::{Change, Object, Target};
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
    chains::is_by_chain(&tuple.meta) && !chains::kept_roles(&tuple.meta).contains(&port)
}

/// How a port tuple goes, in the order in which the changes must be made.
///
/// A real controller builds the chains of the service again only if the ports leave before the tuple is
/// deleted, and the interfaces are deleted last. The roles are cleared between the two: which of them
/// the ports had before, only the tuple tells, so an interrupted call can be continued while it exists.
pub(in crate::service_chain) struct Dissolution {
    /// All ports leave.
    pub(in crate::service_chain) leaves: Vec<Change>,
    /// The ports that stay lose the roles that the tuple gave them.
    pub(in crate::service_chain) roles: Vec<Change>,
    /// The tuple is deleted.
    pub(in crate::service_chain) delete: Change,
}

/// How a port tuple goes that these ports leave; `staying` are those that are not deleted after it.
pub(in crate::service_chain) fn dissolution<'a>(
    tuple: &Identified<PortTuple>,
    leaving: impl IntoIterator<Item = Target>,
    staying: impl IntoIterator<Item = &'a Identified<VirtualMachineInterface>>,
) -> Dissolution {
    let leaving = leaving.into_iter();
    let roles = staying
        .into_iter()
        .filter(|port| takes_role(port.id(), tuple) && role(port).is_some());
    Dissolution {
        leaves: leaving.map(|port| leave(port, tuple)).collect(),
        roles: roles.map(clear_role).collect(),
        delete: Change::Delete(Object::Tuple(tuple.clone())),
    }
}
