//! Reading what the controller has built.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::objects::{Objects, address_refs};
use super::wanted::Wanted;
use crate::api::objects::{PortTuple, ServiceInstance, VirtualMachineInterface, VirtualNetwork};
use crate::api::{Client, ListQuery, Ref, Resource};
use crate::error::Result;
use crate::service_chain::membership::orphan::orphans;
use crate::service_chain::membership::tuple_in;
use crate::values::FqName;

impl Objects {
    /// Reads all that [`super::assess`] needs of some chains: a request for each of their networks
    /// and each of their services, and five more. Up to two more if a service has no member: it may
    /// have orphans.
    ///
    /// # Errors
    /// When the API cannot be asked; [`Error::Decode`](crate::Error::Decode) for an object that cannot be
    /// read: a chain must not be taken down for lack of what is there.
    pub fn read(client: &Client, chains: &[Wanted]) -> Result<Self> {
        let ends = chains.iter().flat_map(Wanted::ends);
        let services = chains.iter().flat_map(|chain| &chain.services);
        let networks: Vec<VirtualNetwork> = lookup(client, ends)?;
        let instances: Vec<ServiceInstance> =
            lookup(client, services.map(|service| &service.name))?;

        let of_networks = ListQuery::children_of_ids(ids(&networks)).detail();
        let addresses = instances.iter().flat_map(address_refs);
        let addresses = ListQuery::ids(addresses.filter_map(|link: Ref| link.uuid)).detail();
        let tuples = tuples(client, &instances)?;
        let members = ListQuery::referring_to_any(tuples).detail();
        let mut objects = Self {
            routing_instances: client.list_whole(&of_networks)?,
            access_control_lists: client.list_whole(&of_networks)?,
            addresses: client.list_whole(&addresses)?,
            interfaces: client.list_whole(&members)?,
            networks,
            instances,
            orphans: BTreeSet::new(),
        };
        objects.find_orphans(client)?;
        Ok(objects)
    }

    /// Looks for port tuples that are not children of their service instances. The ports of the networks
    /// are many, so they are read only where a service has no member otherwise.
    fn find_orphans(&mut self, client: &Client) -> Result<()> {
        let has_member = |service: &ServiceInstance| {
            let mut ports = self.interfaces.iter();
            ports.any(|port| tuple_in(port, service.fq_name()).is_some())
        };
        if self.instances.iter().all(has_member) {
            return Ok(());
        }
        let query = ListQuery::referring_to_any(ids(&self.networks)).detail();
        let mut ports: Vec<VirtualMachineInterface> = client.list(&query)?;
        let is_service = |name: &FqName| self.instance(name).is_some();
        if orphans(&ports, is_service, &BTreeSet::new()).is_empty() {
            return Ok(());
        }
        // Read after the ports: a port tuple that was created in the meantime is not an orphan.
        let children = tuples(client, &self.instances)?;
        let orphans = orphans(&ports, is_service, &children);
        ports.retain(|port| {
            let mut tuples = port.port_tuple_refs.iter();
            tuples.any(|tuple| tuple.uuid.is_some_and(|id| orphans.contains(&id)))
        });
        self.interfaces.extend(ports);
        self.orphans = orphans;
        Ok(())
    }
}

/// The port tuples that are children of service instances.
fn tuples(client: &Client, instances: &[ServiceInstance]) -> Result<BTreeSet<Uuid>> {
    let query = ListQuery::children_of_ids(ids(instances));
    let tuples: Vec<PortTuple> = client.list_whole(&query)?;
    Ok(tuples.iter().filter_map(Resource::uuid).collect())
}

/// Those of the objects that exist.
fn lookup<'a, R: Resource>(
    client: &Client,
    names: impl Iterator<Item = &'a FqName>,
) -> Result<Vec<R>> {
    let names: BTreeSet<&FqName> = names.collect();
    let found = names.into_iter().map(|name| client.lookup(name));
    found.filter_map(Result::transpose).collect()
}

fn ids<R: Resource>(objects: &[R]) -> Vec<Uuid> {
    objects.iter().filter_map(Resource::uuid).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::Response;
    use crate::service_chain::types::Direction;
    use crate::testing::{FakeTransport, client_of};

    #[test]
    fn what_cannot_be_read_does_not_count_as_missing() {
        let id = Uuid::from_u128(1);
        let transport = FakeTransport::new(move |request| {
            let path = request.url.split('?').next().unwrap_or_default();
            let kind = path.rsplit('/').next().unwrap_or_default();
            let kind = kind.trim_end_matches('s');
            let name = match kind {
                "routing-instance" => json!("odd"),
                _ => json!(["d", "p", "n"]),
            };
            let list = json!({format!("{kind}s"): [{kind: {"fq_name": name, "uuid": id}}]});
            Ok(Response::new(200, list.to_string()))
        });
        let network = FqName::new(["d", "p", "n"]);
        let wanted = Wanted {
            policy: FqName::new(["d", "p", "policy"]),
            rule: None,
            left: network.clone(),
            right: network,
            direction: Direction::Both,
            services: Vec::new(),
        };
        let error = Objects::read(&client_of(transport), &[wanted]).unwrap_err();
        assert!(matches!(error, crate::Error::Decode { .. }), "{error}");
    }
}
