//! Reading what the controller has built.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::objects::{Objects, address_refs};
use super::wanted::Wanted;
use crate::api::objects::{PortTuple, ServiceInstance, VirtualNetwork};
use crate::api::{Client, ListQuery, Ref, Resource};
use crate::error::Result;
use crate::fq_name::FqName;

impl Objects {
    /// Reads all that [`super::assess`] looks at of some chains: a request for each of their networks
    /// and each of their services, and five more.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn read(client: &Client, chains: &[Wanted]) -> Result<Self> {
        let ends = chains.iter().flat_map(Wanted::ends);
        let services = chains.iter().flat_map(|chain| &chain.services);
        let networks: Vec<VirtualNetwork> = lookup(client, ends)?;
        let instances: Vec<ServiceInstance> =
            lookup(client, services.map(|service| &service.name))?;

        let of_networks = ListQuery::children_of_ids(ids(&networks)).detail();
        let addresses = instances.iter().flat_map(address_refs);
        let addresses = ListQuery::ids(addresses.filter_map(|link: Ref| link.uuid)).detail();
        let tuples = ListQuery::children_of_ids(ids(&instances));
        let tuples: Vec<PortTuple> = client.list(&tuples)?;
        let members = ListQuery::referring_to_any(ids(&tuples)).detail();
        Ok(Self {
            routing_instances: client.list(&of_networks)?,
            access_control_lists: client.list(&of_networks)?,
            addresses: client.list(&addresses)?,
            interfaces: client.list(&members)?,
            networks,
            instances,
        })
    }
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
