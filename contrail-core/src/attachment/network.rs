//! The virtual network of an attachment: found by its name, or created when the request says how.

use std::path::Path;

use uuid::Uuid;

use super::call::Call;
use super::subnets::{self, Subnet};
use super::types::NetworkSpec;
use super::undo::Step;
use super::uses::{self, Use};
use super::{Attacher, objects};
use crate::api::Client;
use crate::api::objects::VirtualNetwork;
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
    /// second one for each network-ipam whose subnets are shared by its networks.
    pub(super) fn find_network(&self, spec: &NetworkSpec) -> Result<Option<Network>> {
        let client = self.client();
        let Some(object) = client.lookup::<VirtualNetwork>(&spec.fq_name)? else {
            return Ok(None);
        };
        let network = network_of(&client, &object)?;
        subnets::check(spec, &network.subnets)?;
        Ok(Some(network))
    }

    /// Creates the network for an interface, which leaves it again if the answer gets lost. Without a chosen id: then the API's lock on the name decides between two
    /// hosts, and who loses uses the winner's.
    pub(super) fn create_network(&self, spec: &NetworkSpec, interface: Uuid) -> Result<Network> {
        if spec.subnets.is_empty() {
            return Err(Error::NotFound {
                kind: "virtual-network",
                name: spec.fq_name.to_string(),
                hint: "create it, or configure the subnet that it should be created with".into(),
            });
        }
        let object = objects::network(self.host, spec);
        let leave = Step::Networks { interface };
        match self.attempt(leave, || self.client().create(&object)) {
            Ok(uuid) => {
                log::info!("created virtual network {} ({uuid})", spec.fq_name);
            }
            Err(Error::AlreadyExists { .. }) => {
                log::debug!(
                    "virtual network {} was created by somebody else",
                    spec.fq_name
                );
            }
            Err(error) => return Err(error),
        }
        self.find_network(spec)?.ok_or_else(|| Error::NotFound {
            kind: "virtual-network",
            name: spec.fq_name.to_string(),
            hint: "it vanished right after it was created: try again".into(),
        })
    }
}

impl Attacher {
    /// A virtual network that shall be created, with the mark that says whose it is.
    pub fn new_network(&self, spec: &NetworkSpec) -> VirtualNetwork {
        objects::network(&self.host, spec)
    }

    /// Deletes a network that this project made, unless somebody uses it or has attached a policy
    /// to it. Returns whether it was deleted.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn delete_network_unless_used(&self, uuid: Uuid, deadline: Deadline) -> Result<bool> {
        delete_unless_used(&self.client(deadline), uuid)
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

/// Ends the use of virtual networks by an interface that is gone; those that the plugins made and
/// nobody uses any more go with it. What is not known to be settled is remembered, so this may be
/// repeated.
///
/// Returns whether a network was deleted.
pub(super) fn leave(client: &Client, state_dir: &Path, interface: Uuid) -> Result<bool> {
    let mut deleted = false;
    for used in uses::of(state_dir, interface)? {
        let network = match used {
            Use::Joined(id) => Some(id),
            // The attach ended before it knew: killed, or by an answer that got lost.
            Use::Asked(name) => {
                let found = client.lookup::<VirtualNetwork>(&name)?;
                found.and_then(|network| network.meta.uuid)
            }
            Use::Serves { .. } => None,
        };
        if let Some(id) = network
            && uses::step_out(state_dir, interface, id)?
        {
            deleted |= delete_unless_used(client, id)?;
        }
    }
    uses::forget(state_dir, interface)?;
    Ok(deleted)
}

/// Deletes a network that this project made, unless somebody uses it or has attached a policy to it.
///
/// Returns whether it was deleted. Whoever uses it is a plugin too and will try as the last one, or
/// has a reason to keep it.
pub(super) fn delete_unless_used(client: &Client, uuid: Uuid) -> Result<bool> {
    let Some(network) = client.get_opt::<VirtualNetwork>(uuid)? else {
        return Ok(false);
    };
    if let Some(reason) = why_it_stays(&network) {
        log::info!("virtual network {} stays: {reason}", network.meta.fq_name);
        return Ok(false);
    }
    match client.delete::<VirtualNetwork>(uuid) {
        Err(Error::InUse { by, .. }) => {
            let name = &network.meta.fq_name;
            log::info!("virtual network {name} stays: in use by {}", by.join(", "));
            Ok(false)
        }
        other => other,
    }
}

fn why_it_stays(network: &VirtualNetwork) -> Option<String> {
    if !is_owned(network) {
        return Some("it was not made by a plugin".into());
    }
    if !network.network_policy_refs.is_empty() {
        return Some("it has network policies".into());
    }
    let user = docker_users(network).next()?;
    Some(format!("Docker uses it ({user})"))
}

fn network_of(client: &Client, object: &VirtualNetwork) -> Result<Network> {
    let subnets = client.subnets_of(object)?;
    Ok(Network {
        uuid: object.meta.uuid.unwrap_or_default(),
        fq_name: object.meta.fq_name.clone(),
        project: object.meta.parent_uuid.unwrap_or_default(),
        subnets: subnets.iter().filter_map(Subnet::of).collect(),
        owned: is_owned(object),
    })
}
