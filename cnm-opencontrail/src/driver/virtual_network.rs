//! The virtual network of a Docker network: found by its target, or created.

use contrail_core::api::{Resource, VirtualNetwork};
use contrail_core::attach::network::subnets::Subnet;
use contrail_core::attach::{NetworkSpec, SubnetSpec};
use contrail_core::{Deadline, Error as CoreError, FqName};

use super::network_driver::NetworkDriver;
use super::network_options::Properties;
use super::route_targets;
use super::store::Network;
use super::wanted::Wanted;
use crate::error::Result;
use crate::network_users::User;
use crate::options::Target;
use crate::proto::NetworkId;

impl NetworkDriver {
    /// The virtual network, if it exists.
    ///
    /// # Errors
    /// If the API cannot be reached.
    pub(super) fn lookup(&self, target: &Target, end: Deadline) -> Result<Option<VirtualNetwork>> {
        Ok(match target {
            Target::Named(name) | Target::Existing(name) => {
                self.attacher.find_network(name, end)?
            }
            Target::Id(id) => self.client(end).get_opt(*id)?,
        })
    }

    /// Finds the virtual network, or creates it if that is allowed; if another process creates it at the
    /// same time, returns that one.
    ///
    /// # Errors
    /// If it must exist and does not, and if the API cannot be reached.
    pub(super) fn find_or_create(
        &self,
        id: &NetworkId,
        wanted: &Wanted,
        subnets: &[SubnetSpec],
        end: Deadline,
    ) -> Result<VirtualNetwork> {
        let target = &wanted.options.target;
        if let Some(found) = self.lookup(target, end)? {
            return Ok(found);
        }
        let Target::Named(name) = target else {
            return Err(CoreError::NotFound {
                kind: "virtual-network",
                name: target.to_string(),
                hint: Some("option vn names one that must exist; name=… creates one".into()),
            }
            .into());
        };
        let user = User::network(&self.node, id.as_str(), wanted.note());
        let object = self.new_network(name, subnets, &wanted.options.properties, user)?;
        Ok(self.attacher.create_network(&object, end)?)
    }

    fn new_network(
        &self,
        name: &FqName,
        subnets: &[SubnetSpec],
        options: &Properties,
        user: User,
    ) -> Result<VirtualNetwork> {
        let with_dns = |subnet: &SubnetSpec| {
            let mut asked = options.dns.iter().copied();
            SubnetSpec {
                // Otherwise the API takes an address for DNS that Docker's own IPAM would give out.
                dns: asked
                    .find(|&dns| subnet.prefix.contains(dns))
                    .or(subnet.gateway),
                ..subnet.clone()
            }
        };
        let mut object = self.attacher.new_network(&NetworkSpec {
            fq_name: name.clone(),
            subnets: subnets.iter().map(with_dns).collect(),
        })?;
        user.add_to(&mut object);
        route_targets::add_to(&mut object, options);
        Ok(object)
    }

    /// The subnets of a virtual network.
    ///
    /// # Errors
    /// If the API cannot be reached.
    pub(super) fn subnets_of(
        &self,
        network: &VirtualNetwork,
        end: Deadline,
    ) -> Result<Vec<Subnet>> {
        let subnets = self.client(end).subnets_of(network)?;
        Ok(subnets.iter().filter_map(Subnet::of).collect())
    }

    /// A Docker network with its virtual network, and the auxiliary addresses that it should have.
    ///
    /// # Errors
    /// If an auxiliary address cannot be used.
    pub(super) fn network_of(
        &self,
        id: &NetworkId,
        wanted: Wanted,
        network: &VirtualNetwork,
    ) -> Result<Network> {
        let uuid = network.id()?;
        Ok(Network {
            auxiliary: self.auxiliary_ips(id, uuid, &wanted.pools)?,
            wanted,
            uuid,
            name: network.meta.fq_name.clone(),
            project: network.meta.parent_uuid,
        })
    }
}
