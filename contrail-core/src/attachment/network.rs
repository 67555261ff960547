//! The virtual network of an attachment: found by its name, or created when the request says how.

use uuid::Uuid;

use super::call::Call;
use super::subnets::{self, Subnet};
use super::types::NetworkSpec;
use super::undo::Step;
use super::{Attacher, made, objects};
use crate::api::Client;
use crate::api::objects::{NetworkIpam, VirtualNetwork};
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

    /// Creates the network. Without a chosen id: then the API's lock on the name decides between two
    /// hosts, and who loses uses the winner's.
    pub(super) fn create_network(&self, spec: &NetworkSpec) -> Result<Network> {
        if spec.subnets.is_empty() {
            return Err(Error::NotFound {
                kind: "virtual-network",
                name: spec.fq_name.to_string(),
                hint: "create it, or configure the subnet that it should be created with".into(),
            });
        }
        match self.client().create(&objects::network(self.host, spec)) {
            Ok(uuid) => {
                log::info!("created virtual network {} ({uuid})", spec.fq_name);
                self.note(Step::Network(uuid));
                made::record(&self.host.state_dir, uuid)?;
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

/// Deletes a network that this project made, unless somebody uses it or has attached a policy to it.
///
/// Returns whether it was deleted.
pub(super) fn delete_unless_used(client: &Client, uuid: Uuid) -> Result<bool> {
    let Some(network) = client.get_opt::<VirtualNetwork>(uuid)? else {
        return Ok(false);
    };
    if !objects::is_owned(&network.meta) || !network.network_policy_refs.is_empty() {
        log::info!("virtual network {uuid} stays: it is not ours alone any more");
        return Ok(false);
    }
    match client.delete::<VirtualNetwork>(uuid) {
        Err(Error::InUse { by, .. }) => {
            log::debug!(
                "virtual network {uuid} stays: it is in use by {}",
                by.join(", ")
            );
            Ok(false)
        }
        other => other,
    }
}

fn network_of(client: &Client, object: &VirtualNetwork) -> Result<Network> {
    let mut subnets = Vec::new();
    for ipam in &object.network_ipam_refs {
        let own: Vec<Subnet> = ipam
            .attr
            .iter()
            .flat_map(|attr| &attr.ipam_subnets)
            .filter_map(objects::subnet)
            .collect();
        // A link without a prefix means that the subnets stand in the network-ipam itself.
        match (own.is_empty(), ipam.uuid) {
            (true, Some(uuid)) => {
                let ipam: NetworkIpam = client.get(uuid)?;
                subnets.extend(ipam.ipam_subnets.subnets.iter().filter_map(objects::subnet));
            }
            _ => subnets.extend(own),
        }
    }
    Ok(Network {
        uuid: object.meta.uuid.unwrap_or_default(),
        fq_name: object.meta.fq_name.clone(),
        project: object.meta.parent_uuid.unwrap_or_default(),
        subnets,
    })
}
