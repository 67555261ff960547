//! What the API has of the chains under assessment.

use std::collections::BTreeSet;

use ipnetwork::IpNetwork;
use uuid::Uuid;

use crate::api::objects::{
    AccessControlList, AclRule, InstanceIp, RoutingInstance, ServiceInstance,
    VirtualMachineInterface, VirtualNetwork,
};
use crate::api::{Ref, Referent, Resource};
use crate::service_chain::membership::port::{role, tuple_in};
use crate::service_chain::types::Leg;
use crate::values::Family;
use crate::values::FqName;

/// What the API has of the chains under assessment. Objects of others may be among them.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// The networks on both sides.
    pub networks: Vec<VirtualNetwork>,
    /// Their routing instances.
    pub routing_instances: Vec<RoutingInstance>,
    /// Their access control lists.
    pub access_control_lists: Vec<AccessControlList>,
    /// The service instances.
    pub instances: Vec<ServiceInstance>,
    /// The addresses that the controller gave those.
    pub addresses: Vec<InstanceIp>,
    /// The VM interfaces in their port tuples.
    pub interfaces: Vec<VirtualMachineInterface>,
    /// Those of the port tuples that belong to earlier service instances of the same names.
    pub orphans: BTreeSet<Uuid>,
}

impl Objects {
    pub(super) fn network(&self, name: &FqName) -> Option<&VirtualNetwork> {
        self.networks
            .iter()
            .find(|network| network.fq_name() == name)
    }

    pub(super) fn routing_instance(&self, name: &FqName) -> Option<&RoutingInstance> {
        let mut all = self.routing_instances.iter();
        all.find(|instance| instance.fq_name() == name)
    }

    /// The routing instances of a network.
    pub(super) fn of_network(&self, network: &FqName) -> impl Iterator<Item = &RoutingInstance> {
        let all = self.routing_instances.iter();
        all.filter(|instance| instance.fq_name().is_child_of(network))
    }

    /// The rules of a network's access control lists.
    pub(super) fn rules(&self, network: &FqName) -> impl Iterator<Item = &AclRule> {
        let lists = self.access_control_lists.iter();
        let own = lists.filter(|list| list.fq_name().is_child_of(network));
        own.flat_map(|list| &list.entries.acl_rule)
    }

    pub(super) fn instance(&self, name: &FqName) -> Option<&ServiceInstance> {
        let mut all = self.instances.iter();
        all.find(|instance| instance.fq_name() == name)
    }

    /// The members of a service on one side.
    pub(super) fn members(
        &self,
        service: &FqName,
        side: Leg,
    ) -> impl Iterator<Item = &VirtualMachineInterface> {
        self.interfaces.iter().filter(move |port| {
            role(port) == Some(side.as_str()) && tuple_in(port, service).is_some()
        })
    }

    /// The port tuples of members on one side that belong to an earlier service instance of the name.
    pub(super) fn orphans_of(&self, service: &FqName, side: Leg) -> BTreeSet<Referent> {
        let members = self.members(service, side);
        let tuples = members.flat_map(|port| &port.port_tuple_refs);
        let is_orphan = |id: Uuid| self.orphans.contains(&id);
        let orphans = tuples.filter(|tuple| tuple.uuid.is_some_and(is_orphan));
        orphans.map(Ref::referent).collect()
    }

    /// The addresses that all members of a service share on one side; `None` when the service instance
    /// names some that cannot be read: servers show them to administrators only.
    pub(super) fn addresses(&self, service: &FqName, side: Leg) -> Option<Vec<&InstanceIp>> {
        let refs = self.instance(service).map(address_refs).unwrap_or_default();
        let of_side = refs.iter().filter(|link| {
            let attr = link.attr.as_ref();
            attr.and_then(|attr| attr["interface_type"].as_str()) == Some(side.as_str())
        });
        let read = |id: Uuid| self.addresses.iter().find(|ip| ip.uuid() == Some(id));
        of_side.map(|link| read(link.uuid?)).collect()
    }
}

/// The instance's references to the addresses that the controller gave it.
pub(super) fn address_refs(instance: &ServiceInstance) -> Vec<Ref> {
    let refs = instance.rest.get("instance_ip_refs").cloned();
    refs.and_then(|refs| serde_json::from_value(refs).ok())
        .unwrap_or_default()
}

/// The name of a network's own routing instance.
pub(super) fn own_instance(network: &FqName) -> FqName {
    network.child(network.name())
}

/// The prefixes of a network; `None` when its network-ipam holds them ("flat").
pub(super) fn prefixes(network: &VirtualNetwork) -> Option<Vec<IpNetwork>> {
    let own: Vec<IpNetwork> = network.subnets().filter_map(|s| s.prefix()).collect();
    let is_flat = own.is_empty() || own.iter().any(|prefix| prefix.prefix() == 0);
    (!is_flat).then_some(own)
}

/// The families of prefixes.
pub(super) fn families(prefixes: &[IpNetwork]) -> BTreeSet<Family> {
    prefixes.iter().map(|p| Family::of(p.ip())).collect()
}

/// Whether chains between networks are distinguished by access control lists alone, so that the ends of a
/// chain are not connected.
pub(super) fn is_multi_policy(network: &VirtualNetwork) -> bool {
    let flag = network.rest.get("multi_policy_service_chains_enabled");
    flag.and_then(serde_json::Value::as_bool).unwrap_or(false)
}
