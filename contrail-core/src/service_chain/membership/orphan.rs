//! Port tuples that outlived their service instance: pure.
//!
//! A service instance can be deleted under its port tuples. They stay, VM interfaces still refer to
//! them, but another service instance of the same name, even of the same id, does not have them as
//! children, and the controller builds nothing from them until they are created again.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::api::objects::VirtualMachineInterface;
use crate::values::FqName;

/// The port tuples of service instances that are not among the children of those, known by the VM
/// interfaces that refer to them.
pub(in crate::service_chain) fn orphans<'a>(
    interfaces: impl IntoIterator<Item = &'a VirtualMachineInterface>,
    is_service: impl Fn(&FqName) -> bool,
    children: &BTreeSet<Uuid>,
) -> BTreeSet<Uuid> {
    let refs = interfaces
        .into_iter()
        .flat_map(|port| &port.port_tuple_refs);
    let of_services = refs.filter(|tuple| {
        let service = tuple.name().and_then(FqName::parent);
        service.is_some_and(|service| is_service(&service))
    });
    let ids = of_services.filter_map(|tuple| tuple.uuid);
    ids.filter(|id| !children.contains(id)).collect()
}
