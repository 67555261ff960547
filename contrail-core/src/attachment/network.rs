//! The virtual network of an attachment: found by its name, or created when the request says how.

use uuid::Uuid;

use super::call::Call;
use super::subnets::{self, Subnet};
use super::types::NetworkSpec;
use super::undo::Step;
use super::{Attacher, departure, objects, uses};
use crate::api::objects::VirtualNetwork;
use crate::api::{Client, Resource};
use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::fq_name::FqName;

/// A virtual network as an attachment needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its id.
    pub uuid: Uuid,
    /// Its name.
    pub fq_name: FqName,
    /// The id of its project; nil when the API did not say.
    pub project: Uuid,
    /// Its subnets, in the order in which addresses are taken from them.
    pub subnets: Vec<Subnet>,
    /// Whether this project made it, on whatever host: then the last one to leave removes it.
    pub owned: bool,
}

impl Call<'_> {
    /// The network of that name, if it exists and does not contradict the request. One request; a
    /// second one when it is on flat IPAMs, whose subnets are shared by their networks.
    pub(super) fn find_network(&self, spec: &NetworkSpec) -> Result<Option<Network>> {
        let client = self.client();
        let found = find(&client, &spec.fq_name)?;
        found
            .map(|object| fitting(&client, spec, &object))
            .transpose()
    }

    /// Creates the network for an interface, which leaves it again if the answer gets lost. The API
    /// chooses the id: then its lock on the name decides between two hosts, and who loses uses the
    /// winner's.
    pub(super) fn create_network(&self, spec: &NetworkSpec, interface: Uuid) -> Result<Network> {
        if spec.subnets.is_empty() {
            return Err(Error::NotFound {
                kind: VirtualNetwork::TYPE,
                name: spec.fq_name.to_string(),
                hint: "create it, or configure the subnet that it should be created with".into(),
            });
        }
        let object = objects::network(self.host, spec);
        let client = self.client();
        uses::create(&self.host.state_dir, interface, &spec.fq_name)?;
        let leave = Step::Networks { interface };
        let object = self.attempt(leave, || create(&client, &object))?;
        fitting(&client, spec, &object)
    }
}

/// The network of that name. One whose last user is leaving it is waited for, until it is gone or has its
/// subnets again; where that user has ended half-way, its removal is finished.
pub(super) fn find(client: &Client, name: &FqName) -> Result<Option<VirtualNetwork>> {
    let waiting = || format!("waiting for virtual network {name}, which has lost its subnets,");
    let mut abandoned = Deadline::after(departure::LEAVING);
    client.settle(waiting, || {
        let found = client.lookup::<VirtualNetwork>(name)?;
        let Some(going) = found.as_ref().filter(|found| departure::is_going(found)) else {
            return Ok(Some(found));
        };
        if let Some(id) = going.uuid().filter(|_| abandoned.has_passed()) {
            log::warn!("virtual network {name} was left without subnets: its removal is finished");
            departure::delete_unless_used(client, id)?;
            abandoned = Deadline::after(departure::LEAVING);
        }
        Ok(None)
    })
}

/// Creates a network, or finds that of somebody who was faster. The name of one that goes stays taken for
/// a moment, in which nothing can be found under it.
pub(super) fn create(client: &Client, object: &VirtualNetwork) -> Result<VirtualNetwork> {
    let name = &object.meta.fq_name;
    let mut is_made = false;
    let waiting = || format!("creating virtual network {name}, whose name stays taken,");
    let made = client.settle(waiting, || {
        match client.create(object) {
            Ok(uuid) => {
                is_made = true;
                log::info!("created virtual network {name} ({uuid})");
            }
            Err(Error::AlreadyExists { .. }) => {
                log::debug!("virtual network {name} was created by somebody else, or is going");
            }
            Err(error) => return Err(error),
        }
        find(client, name)
    });
    made.map_err(|error| match is_made {
        true => error.unsure(),
        false => error,
    })
}

impl Attacher {
    /// A virtual network that shall be created, with the mark that says whose it is.
    pub fn new_network(&self, spec: &NetworkSpec) -> VirtualNetwork {
        objects::network(&self.host, spec)
    }

    /// The virtual network of that name. One whose last user is leaving it is waited for.
    ///
    /// # Errors
    /// When the API cannot be asked; [`Error::Timeout`] when the network stays without subnets.
    pub fn find_network(
        &self,
        name: &FqName,
        deadline: Deadline,
    ) -> Result<Option<VirtualNetwork>> {
        find(&self.client(deadline), name)
    }

    /// Creates a virtual network, or finds the one that somebody else has made under its name meanwhile.
    ///
    /// # Errors
    /// As [`Client::create`]; [`Error::Timeout`] when the name stays taken by what cannot be found.
    pub fn create_network(
        &self,
        network: &VirtualNetwork,
        deadline: Deadline,
    ) -> Result<VirtualNetwork> {
        create(&self.client(deadline), network)
    }

    /// Deletes a network that this project made, unless somebody uses it or has attached a policy
    /// to it. Returns whether it was deleted.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn delete_network_unless_used(&self, uuid: Uuid, deadline: Deadline) -> Result<bool> {
        departure::delete_unless_used(&self.client(deadline), uuid)
    }
}

/// Whether a network was made by this project, on whatever host.
pub fn is_owned(network: &VirtualNetwork) -> bool {
    objects::is_owned(&network.meta)
}

/// The Docker networks and address pools of every host that use a network: each has an annotation.
/// They keep it although it may have no port.
pub fn docker_users(network: &VirtualNetwork) -> impl Iterator<Item = &str> {
    let keys = network.meta.annotations.0.keys();
    keys.filter_map(|key| key.strip_prefix(objects::DOCKER_USER))
}

/// A network that was found, unless it contradicts the request.
fn fitting(client: &Client, spec: &NetworkSpec, object: &VirtualNetwork) -> Result<Network> {
    let subnets = client.subnets_of(object)?;
    let network = Network {
        uuid: object.meta.uuid.unwrap_or_default(),
        fq_name: object.meta.fq_name.clone(),
        project: object.meta.parent_uuid.unwrap_or_default(),
        subnets: subnets.iter().filter_map(Subnet::of).collect(),
        owned: is_owned(object),
    };
    subnets::check(spec, &network.subnets)?;
    Ok(network)
}
