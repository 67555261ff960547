//! Docker networks: which virtual network each stands for, and who uses that.
//!
//! A virtual network that this driver made carries an annotation for each Docker network on each host
//! that uses it. The last one to go takes it along; one that existed before is never removed.

use std::net::IpAddr;

use contrail_core::api::VirtualNetwork;
use contrail_core::attachment::subnets::{self, Subnet};
use contrail_core::attachment::{NetworkSpec, Reserve, SubnetSpec};
use contrail_core::error::report;
use contrail_core::identity::Family;
use contrail_core::prefix::check_subnet;
use contrail_core::{Deadline, Error as CoreError};
use ipnetwork::IpNetwork;
use serde_json::json;
use uuid::Uuid;

use super::compare::{check_dns, check_targets};
use super::options::Target;
use super::store::{NetworkEntry, Wanted};
use super::{NetworkDriver, PATIENCE, options, recover};
use crate::error::{Error, Result};
use crate::proto::{CreateNetwork, IpamData, NetworkId, Reply};
use crate::users;

/// The address space of Docker's IPAM driver that gives no addresses.
const NULL_POOLS: [&str; 2] = ["0.0.0.0/0", "::/0"];

impl NetworkDriver {
    /// `NetworkDriver.CreateNetwork`.
    ///
    /// # Errors
    /// Options that cannot be used, a virtual network that contradicts them, or a controller that is
    /// down. Nothing is left then.
    pub fn create_network(&self, request: &CreateNetwork) -> Result<Reply> {
        let id = &request.network_id;
        let options = options::network(&request.options, &self.project, id.short())?;
        let pools: Vec<IpamData> = request
            .ipv4_data
            .iter()
            .chain(&request.ipv6_data)
            .cloned()
            .collect();
        let internal = request.options.get("com.docker.network.internal") == Some(&json!(true));
        let wanted = Wanted {
            options,
            pools,
            internal,
        };
        if let Some(known) = self.store.network(id)? {
            // The answer to an earlier request got lost.
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
        let end = Deadline::after(PATIENCE);
        let entry = self.establish(id, wanted, end)?;
        self.store.put_network(id, &entry)?;
        log::info!(
            "Docker network {} is virtual network {}",
            id.short(),
            entry.name
        );
        Ok(Reply::Done {})
    }

    /// Finds or makes the virtual network, marks it as used, and sets the auxiliary addresses aside.
    pub(super) fn establish(
        &self,
        id: &NetworkId,
        wanted: Wanted,
        end: Deadline,
    ) -> Result<NetworkEntry> {
        let subnets = subnets_of(&wanted.pools)?;
        check_dns(&wanted.options.dns, &subnets)?;
        let found = match self.find(&wanted.options.target, end)? {
            Some(found) => found,
            None => self.make(id, &wanted, &subnets, end)?,
        };
        let name = found.meta.fq_name.clone();
        let uuid = found.meta.uuid.unwrap_or_default();
        let spec = NetworkSpec {
            fq_name: name.clone(),
            subnets,
        };
        subnets::check(&spec, &subnets_known(&found))?;
        check_targets(&wanted.options, &found)?;
        let mark = self.mark(id);
        users::join(&self.attacher, &found, &mark, &recover::note(&wanted), end)?;
        let mut entry = NetworkEntry {
            wanted,
            uuid,
            name,
            project: found.meta.parent_uuid.unwrap_or_default(),
            auxiliary: Vec::new(),
            deleted: false,
        };
        if let Err(error) = self.set_aside(id, &mut entry, end) {
            self.abandon(id, &entry, end);
            return Err(error);
        }
        Ok(entry)
    }

    fn find(&self, target: &Target, end: Deadline) -> Result<Option<VirtualNetwork>> {
        let client = self.client(end);
        let missing = |name: String| CoreError::NotFound {
            kind: "virtual-network",
            name,
            hint: "option vn names one that must exist; name=… makes one".into(),
        };
        match target {
            Target::Named(name) => Ok(client.lookup(name)?),
            Target::Existing(name) => match client.lookup(name)? {
                Some(found) => Ok(Some(found)),
                None => Err(missing(name.to_string()).into()),
            },
            Target::Id(id) => match client.get_opt(*id)? {
                Some(found) => Ok(Some(found)),
                None => Err(missing(id.to_string()).into()),
            },
        }
    }

    /// Makes the virtual network; who loses the race for its name takes the winner's.
    fn make(
        &self,
        id: &NetworkId,
        wanted: &Wanted,
        subnets: &[SubnetSpec],
        end: Deadline,
    ) -> Result<VirtualNetwork> {
        let options = &wanted.options;
        let Target::Named(name) = &options.target else {
            return Err(Error::UnknownNetwork {
                network: id.short().to_owned(),
            });
        };
        let spec = NetworkSpec {
            fq_name: name.clone(),
            subnets: subnets.to_vec(),
        };
        let mut object = self.attacher.new_network(&spec);
        for subnet in object
            .network_ipam_refs
            .iter_mut()
            .flat_map(|link| &mut link.attr)
        {
            for subnet in &mut subnet.ipam_subnets {
                let Some(prefix) = subnet.prefix() else {
                    continue;
                };
                let mut asked = options.dns.iter().copied();
                // Else the API takes an address for DNS that Docker's own IPAM would hand out.
                subnet.dns_server_address = asked
                    .find(|&dns| prefix.contains(dns))
                    .or(subnet.default_gateway);
            }
        }
        object
            .meta
            .annotations
            .0
            .insert(self.mark(id), recover::note(wanted));
        object.route_target_list.route_target = options.route_targets.clone();
        for (list, targets) in [("import", &options.imports), ("export", &options.exports)] {
            if !targets.is_empty() {
                let key = format!("{list}_route_target_list");
                object.rest.insert(key, json!({ "route_target": targets }));
            }
        }
        match self.client(end).create(&object) {
            Ok(uuid) => log::info!("created virtual network {name} ({uuid})"),
            Err(CoreError::AlreadyExists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.find(&options.target, end)?
            .ok_or_else(|| Error::UnknownNetwork {
                network: id.short().to_owned(),
            })
    }

    /// Keeps the auxiliary addresses from everybody else.
    fn set_aside(&self, id: &NetworkId, entry: &mut NetworkEntry, end: Deadline) -> Result<()> {
        for (label, address) in self.auxiliary(&entry.wanted.pools.clone())? {
            let ip = auxiliary_ip(id, entry.uuid, address);
            self.attacher.reserve_address(
                &Reserve {
                    id: ip,
                    network: &entry.name,
                    network_id: entry.uuid,
                    family: Family::of(address),
                    address: Some(address),
                    subnet: None,
                    purpose: &format!("auxiliary address {label} of Docker network {}", id.short()),
                },
                end,
            )?;
            entry.auxiliary.push(ip);
        }
        Ok(())
    }

    /// The auxiliary addresses that this driver sets aside; our own IPAM driver does so for its pools.
    pub(super) fn auxiliary<'a>(&self, pools: &'a [IpamData]) -> Result<Vec<(&'a str, IpAddr)>> {
        let others = pools.iter().filter(|pool| !self.is_own(pool));
        let texts = others.flat_map(|pool| &pool.aux_addresses);
        let addresses =
            texts.map(|(label, text)| Ok((label.as_str(), address_of("aux-address", text)?)));
        addresses.collect()
    }

    /// `NetworkDriver.DeleteNetwork`. Docker forgets the network whatever the answer is.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn delete_network(&self, id: &NetworkId) -> Result<Reply> {
        let end = Deadline::after(PATIENCE);
        let entry = match self.store.network(id)? {
            Some(entry) => Some(entry),
            None => self.recover(id, end)?,
        };
        let Some(entry) = entry else {
            return Ok(Reply::Done {});
        };
        match self.try_abandon(id, &entry, end) {
            Ok(()) => self.store.remove_network(id)?,
            Err(error) => {
                log::warn!(
                    "virtual network {} waits for the controller: {}",
                    entry.name,
                    report(&error)
                );
                let deleted = true;
                self.store
                    .put_network(id, &NetworkEntry { deleted, ..entry })?;
            }
        }
        Ok(Reply::Done {})
    }

    /// Removes what could not be removed when Docker deleted its network.
    ///
    /// # Errors
    /// The first failure; what fails stays for the next time.
    pub fn tidy(&self) -> Result<()> {
        let end = Deadline::after(PATIENCE);
        for (id, entry) in self.store.networks()? {
            if entry.deleted {
                self.try_abandon(&id, &entry, end)?;
                self.store.remove_network(&id)?;
            }
        }
        Ok(())
    }

    /// Gives the auxiliary addresses back and removes the virtual network if nobody uses it.
    fn abandon(&self, id: &NetworkId, entry: &NetworkEntry, end: Deadline) {
        let done = self.try_abandon(id, entry, end);
        if let Err(error) = done {
            log::error!(
                "virtual network {} may be left over: {}",
                entry.name,
                report(&error)
            );
        }
    }

    fn try_abandon(&self, id: &NetworkId, entry: &NetworkEntry, end: Deadline) -> Result<()> {
        for ip in &entry.auxiliary {
            self.attacher.release_address(*ip, end)?;
        }
        Ok(users::leave(
            &self.attacher,
            entry.uuid,
            &self.mark(id),
            end,
        )?)
    }

    /// The annotation of this host's Docker network on the virtual network that it uses.
    pub(super) fn mark(&self, id: &NetworkId) -> String {
        users::mark(&self.node, id.as_str())
    }
}

/// The instance IP that keeps an auxiliary address from others.
pub(super) fn auxiliary_ip(id: &NetworkId, network: Uuid, address: IpAddr) -> Uuid {
    Uuid::new_v5(&network, format!("{id} {address}").as_bytes())
}

/// The subnets that the pools ask for.
fn subnets_of(pools: &[IpamData]) -> Result<Vec<SubnetSpec>> {
    let real = pools.iter().filter(|pool| !pool.pool.is_empty());
    real.map(|pool| {
        if NULL_POOLS.contains(&pool.pool.as_str()) {
            let reason =
                "a network without addresses cannot be joined: leave --ipam-driver null out";
            return Err(CoreError::invalid("pool", &pool.pool, reason).into());
        }
        let refused = |reason: String| CoreError::invalid("pool", &pool.pool, reason);
        let prefix: IpNetwork =
            (pool.pool.parse()).map_err(|_| refused("a subnet is expected".to_owned()))?;
        check_subnet(prefix).map_err(refused)?;
        let gateway = match pool.gateway.as_str() {
            "" => None,
            text => Some(address_of("gateway", text)?),
        };
        Ok(SubnetSpec {
            prefix,
            gateway,
            pool: None,
        })
    })
    .collect()
}

/// The address of `10.1.1.1/24`.
pub(super) fn address_of(what: &str, text: &str) -> Result<IpAddr> {
    let address = text.parse::<IpNetwork>().map(|network| network.ip());
    let reason = "an address with its prefix length is expected";
    Ok(address.map_err(|_| CoreError::invalid(what, text, reason))?)
}

pub(super) fn subnets_known(network: &VirtualNetwork) -> Vec<Subnet> {
    let known = network.subnets().filter_map(|subnet| {
        Some(Subnet {
            prefix: subnet.prefix().filter(|prefix| prefix.prefix() > 0)?,
            gateway: subnet.gateway(),
            dns: subnet.dns(),
            pools: Vec::new(),
        })
    });
    known.collect()
}
