//! The virtual network of an attachment: found by its name, or created when the request says how.

use uuid::Uuid;

use crate::api::objects::VirtualNetwork;
use crate::api::{Client, Resource};
use crate::attach::attacher::{Attacher, Host};
use crate::attach::error::Result;
use crate::attach::network::leave;
use crate::attach::network::subnets::{self, Subnet};
use crate::attach::objects;
use crate::attach::spec::NetworkSpec;
use crate::error::Error;
use crate::ownership::is_by_plugin;
use crate::values::Deadline;
use crate::values::FqName;

/// A virtual network as an attachment needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its id.
    pub uuid: Uuid,
    /// Its name.
    pub fq_name: FqName,
    /// The id of its project, if the API gave it.
    pub project: Option<Uuid>,
    /// Its subnets, in the order in which addresses are taken from them.
    pub subnets: Vec<Subnet>,
    /// Whether this project made it, on whatever host: then the last one to leave removes it.
    pub owned: bool,
}

/// The network of that name. One whose last user is leaving it is waited for, until it is gone or has its
/// subnets again; if that user was interrupted, its removal is finished.
pub(crate) fn find(client: &Client, name: &FqName) -> crate::Result<Option<VirtualNetwork>> {
    let waiting = || format!("waiting for virtual network {name}, which has lost its subnets,");
    let mut abandoned = Deadline::after(leave::LEAVING);
    client.wait_for(waiting, || {
        let found = client.lookup::<VirtualNetwork>(name)?;
        let Some(going) = found.as_ref().filter(|found| leave::is_going(found)) else {
            return Ok(Some(found));
        };
        if let Some(id) = going.uuid().filter(|_| abandoned.has_passed()) {
            log::warn!("virtual network {name} was left without subnets: finishing its removal");
            leave::delete_unless_used(client, id)?;
            abandoned = Deadline::after(leave::LEAVING);
        }
        Ok(None)
    })
}

/// Creates a network, or finds the one that another client created first. The name of one that is being
/// deleted stays in use for a moment, in which nothing can be found under it.
pub(crate) fn create(client: &Client, object: &VirtualNetwork) -> crate::Result<VirtualNetwork> {
    let name = &object.meta.fq_name;
    let waiting = || format!("creating virtual network {name}, whose name is still in use,");
    client.create_or_find(object, waiting, || find(client, name))
}

impl Attacher {
    /// A virtual network to be created, with the mark that says who owns it.
    ///
    /// # Errors
    /// For a subnet that has no address for a container.
    pub fn new_network(&self, spec: &NetworkSpec) -> crate::Result<VirtualNetwork> {
        Ok(objects::network(&self.host, spec)?)
    }

    /// The virtual network of that name. One whose last user is leaving it is waited for.
    ///
    /// # Errors
    /// When the API cannot be asked; [`Error::Timeout`](crate::Error::Timeout) when the network stays without subnets.
    pub fn find_network(
        &self,
        name: &FqName,
        deadline: Deadline,
    ) -> Result<Option<VirtualNetwork>> {
        Ok(find(&self.client(deadline), name)?)
    }

    /// Creates a virtual network, or finds the one that another client has created under its name.
    ///
    /// # Errors
    /// As [`Client::create`]; [`Error::Timeout`](crate::Error::Timeout) when the name stays in use by an object that cannot be found.
    pub fn create_network(
        &self,
        network: &VirtualNetwork,
        deadline: Deadline,
    ) -> Result<VirtualNetwork> {
        Ok(create(&self.client(deadline), network)?)
    }

    /// Deletes a network that this project made, unless it is in use or a policy is attached
    /// to it. Returns whether it was deleted.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn delete_network_unless_used(&self, uuid: Uuid, deadline: Deadline) -> Result<bool> {
        Ok(leave::delete_unless_used(&self.client(deadline), uuid)?)
    }
}

/// The network that the request creates when there is none.
///
/// # Errors
/// [`Error::NotFound`] if it does not say how, and for a subnet that has no address for a container.
pub(crate) fn wanted(host: &Host, spec: &NetworkSpec) -> crate::Result<VirtualNetwork> {
    if spec.subnets.is_empty() {
        return Err(Error::NotFound {
            kind: VirtualNetwork::TYPE,
            name: spec.fq_name.to_string(),
            hint: Some("create it, or configure the subnet that it should be created with".into()),
        });
    }
    Ok(objects::network(host, spec)?)
}

/// A network that was found, unless it contradicts the request.
pub(crate) fn fitting(
    client: &Client,
    spec: &NetworkSpec,
    object: &VirtualNetwork,
) -> Result<Network> {
    let subnets = client.subnets_of(object)?;
    let network = Network {
        uuid: object.id()?,
        fq_name: object.meta.fq_name.clone(),
        project: object.meta.parent_uuid,
        subnets: subnets.iter().filter_map(Subnet::of).collect(),
        owned: is_by_plugin(&object.meta),
    };
    subnets::check(spec, &network.subnets)?;
    Ok(network)
}
