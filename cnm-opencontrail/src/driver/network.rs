//! Creating Docker networks: which virtual network each one is, and who uses it.
//!
//! A virtual network that this driver made carries an annotation for each Docker network on each host
//! that uses it. It is removed with its last user; one that existed before is never removed.

use contrail_core::api::{Resource, VirtualNetwork};
use contrail_core::attach::network::subnets;
use contrail_core::attach::{NetworkSpec, SubnetSpec};
use contrail_core::error::{Layered, report};
use contrail_core::values::Family;
use contrail_core::{Deadline, Error as CoreError, FqName};
use serde_json::json;

use super::network_driver::NetworkDriver;
use super::network_labels::Asked;
use super::pools::{self, check_dns};
use super::recover::unknown;
use super::store::{Network, NetworkEntry};
use super::wanted::Wanted;
use super::{network_options, route_targets};
use crate::error::{Error, Result};
use crate::network_users::{self, User};
use crate::plugin::PATIENCE;
use crate::proto::{CreateNetwork, IpamData, NetworkId, Reply};

impl NetworkDriver {
    /// `NetworkDriver.CreateNetwork`.
    ///
    /// # Errors
    /// Options that cannot be used, a virtual network that contradicts them, or a controller that is
    /// down. Nothing is left then.
    pub fn create_network(&self, request: &CreateNetwork) -> Result<Reply> {
        let id = &request.network_id;
        let internal = request.options.get("com.docker.network.internal") == Some(&json!(true));
        let asked = Asked {
            ipv4: !request.ipv4_data.is_empty(),
            ipv6: !request.ipv6_data.is_empty(),
            internal,
        };
        let (options, ignored) =
            network_options::read(&request.options, asked, &self.project, id.short())?;
        if !ignored.is_empty() {
            let (id, ignored) = (id.short(), ignored.join(", "));
            log::warn!("Docker network {id}: options without a meaning here: {ignored}");
        }
        let pools = request.ipv4_data.iter().chain(&request.ipv6_data);
        let wanted = Wanted {
            options,
            pools: pools.cloned().collect(),
            internal,
        };
        let end = Deadline::after(PATIENCE);
        let _lock = self.locks.lock(id.as_str(), end)?;
        if let Some(known) = self.store.network(id)?.and_then(NetworkEntry::live) {
            // The answer to an earlier request was lost.
            return match known.wanted == wanted {
                true => Ok(Reply::Done {}),
                false => Err(CoreError::AlreadyExists {
                    kind: "Docker network",
                    name: id.short().to_owned(),
                    uuid: None,
                }
                .into()),
            };
        }
        let network = self.create(id, wanted, end)?;
        let (id, name) = (id.short(), &network.name);
        log::info!("created Docker network {id}: it is virtual network {name}");
        Ok(Reply::Done {})
    }

    /// Docker does not delete a network whose creation has failed. So what is going to be made is recorded
    /// first, as something to remove.
    fn create(&self, id: &NetworkId, wanted: Wanted, end: Deadline) -> Result<Network> {
        self.attacher.remember_name()?;
        let creating = NetworkEntry::Creating(wanted.clone());
        self.store.put_network(id, &creating)?;
        let created = self.establish(id, wanted, end).and_then(|network| {
            let live = NetworkEntry::Live(network.clone());
            self.store.put_network(id, &live)?;
            Ok(network)
        });
        if created.is_err()
            && let Err(error) = self.finish_removal(id, &creating, end)
        {
            log::warn!(
                "Docker network {}: rollback deferred: {}",
                id.short(),
                report(&error)
            );
        }
        created
    }

    /// Finds or creates the virtual network, registers its use, and reserves the auxiliary addresses.
    ///
    /// # Errors
    /// As [`NetworkDriver::create_network`].
    pub(super) fn establish(
        &self,
        id: &NetworkId,
        wanted: Wanted,
        end: Deadline,
    ) -> Result<Network> {
        let subnets = pools::subnets(&wanted.pools)?;
        let options = &wanted.options.properties;
        check_dns(&options.dns, &subnets)?;
        for subnet in &subnets {
            subnets::check_mtu(options.mtu, Family::of(subnet.prefix.ip()))?;
        }
        let operation = || format!("entering {}", wanted.options.target);
        let found = self
            .client(end)
            .wait_for(operation, || self.enter(id, &wanted, &subnets, end))?;
        let mut network = Network {
            wanted,
            uuid: found.id()?,
            name: found.meta.fq_name.clone(),
            project: found.meta.parent_uuid,
            auxiliary: Vec::new(),
        };
        if let Err(error) = self.reserve_auxiliary(id, &mut network, end) {
            self.abandon(id, &network, end);
            return Err(error);
        }
        Ok(network)
    }

    /// Finds or creates the virtual network and registers its use; `None` if its last user has removed it
    /// in the meantime.
    fn enter(
        &self,
        id: &NetworkId,
        wanted: &Wanted,
        subnets: &[SubnetSpec],
        end: Deadline,
    ) -> Result<Option<VirtualNetwork>> {
        // Before the network is created, as far as its name is known then.
        if let Some(name) = wanted.options.target.name() {
            self.check_pools(&wanted.pools, name)?;
        }
        let found = self.find_or_create(id, wanted, subnets, end)?;
        self.check_pools(&wanted.pools, &found.meta.fq_name)?;
        let spec = NetworkSpec {
            fq_name: found.meta.fq_name.clone(),
            subnets: subnets.to_vec(),
        };
        subnets::check(&spec, &self.subnets_of(&found, end)?)?;
        match self.register(id, wanted, &found, end) {
            Err(Error::Core(error)) if error.is_not_found() => Ok(None),
            other => other.map(|()| Some(found)),
        }
    }

    /// Sets the route targets if this is the network's first Docker network, checks them otherwise, and
    /// registers the use.
    fn register(
        &self,
        id: &NetworkId,
        wanted: &Wanted,
        found: &VirtualNetwork,
        end: Deadline,
    ) -> Result<()> {
        let options = &wanted.options.properties;
        if network_users::has_only_pools(found) {
            let changes = route_targets::changes(options);
            if !changes.is_empty() {
                self.client(end)
                    .update::<VirtualNetwork>(found.id()?, &changes.into())?;
            }
        } else {
            route_targets::check(options, found)?;
        }
        let user = User::network(&self.node, id.as_str(), wanted.note());
        Ok(network_users::register(&self.attacher, found, &user, end)?)
    }

    /// Refuses pools of the plugin's own IPAM driver that belong to another virtual network.
    fn check_pools(&self, pools: &[IpamData], network: &FqName) -> Result<()> {
        let own = pools.iter().filter(|pool| self.is_own(pool));
        for prefix in own.filter_map(|pool| pool.pool.parse().ok()) {
            let networks = self.ipam.networks_of(prefix);
            if let Some(other) = networks.first().filter(|_| !networks.contains(network)) {
                let reason = format!(
                    "--ipam-opt has {other}, whose addresses --subnet {prefix} are: name the same one by -o name"
                );
                return Err(CoreError::invalid("-o name", network.to_string(), reason).into());
            }
        }
        Ok(())
    }

    /// Creates the virtual network of a Docker network again.
    ///
    /// # Errors
    /// [`Error::UnknownNetwork`] if Docker has deleted its network.
    pub(super) fn establish_again(
        &self,
        id: &NetworkId,
        network: &Network,
        end: Deadline,
    ) -> Result<Network> {
        // A removal of the network waits for its endpoints, one of which the caller may have locked.
        let is_live = || {
            let known = self.store.network(id)?;
            Ok(known.and_then(NetworkEntry::live).is_some())
        };
        let lock = self.locks.lock_while(id.as_str(), end, is_live)?;
        if lock.is_none() || !is_live()? {
            return Err(unknown(id));
        }
        let network = self.establish(id, network.wanted.clone(), end)?;
        let live = NetworkEntry::Live(network.clone());
        self.store.put_network(id, &live)?;
        Ok(network)
    }
}
