//! Docker networks: which virtual network each stands for, and who uses that.
//!
//! A virtual network that this driver made carries an annotation for each Docker network on each host
//! that uses it. The last one to go takes it along; one that existed before is never removed.

use std::net::IpAddr;

use contrail_core::api::VirtualNetwork;
use contrail_core::attach::network::subnets::{self, Subnet};
use contrail_core::attach::{NetworkSpec, Reserve, SubnetSpec};
use contrail_core::error::report;
use contrail_core::values::Family;
use contrail_core::values::prefix::check_subnet;
use contrail_core::{Deadline, Error as CoreError, FqName};
use ipnetwork::IpNetwork;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::compare::{check_dns, check_targets};
use super::options::{NetworkOptions, Target};
use super::store::{NetworkEntry, Wanted};
use super::{NetworkDriver, PATIENCE, options, recover};
use crate::error::{Error, Result};
use crate::proto::{CreateNetwork, IpamData, NetworkId, Reply};
use crate::users;

/// The address space of Docker's IPAM driver that gives no addresses.
const NULL_POOLS: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// What the purpose of an auxiliary address begins with.
pub(crate) const AUXILIARY: &str = "auxiliary address";

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
        let end = Deadline::after(PATIENCE);
        let _making = self.making.begin(id.as_str(), end)?;
        if let Some(known) = self.store.network(id)?.filter(|known| !known.deleted) {
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
        let entry = self.create(id, wanted, end)?;
        log::info!(
            "Docker network {} is virtual network {}",
            id.short(),
            entry.name
        );
        Ok(Reply::Done {})
    }

    /// Docker does not delete a network whose creation has failed. So what is going to be made is noted
    /// before as something to remove: whatever happens on the way, nothing is left.
    fn create(&self, id: &NetworkId, wanted: Wanted, end: Deadline) -> Result<NetworkEntry> {
        let unfinished = NetworkEntry::unfinished(wanted.clone());
        self.store.put_network(id, &unfinished)?;
        let made = self.establish(id, wanted, end);
        let kept = made.and_then(|entry| {
            self.store.put_network(id, &entry)?;
            Ok(entry)
        });
        if kept.is_err() {
            self.finish_removal(id, &unfinished, end)
                .unwrap_or_else(|error| log::warn!("put off: {}", report(&error)));
        }
        kept
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
        for subnet in &subnets {
            subnets::check_mtu(wanted.options.mtu, Family::of(subnet.prefix.ip()))?;
        }
        let operation = || format!("entering {}", wanted.options.target.name());
        let found = self
            .client(end)
            .settle(operation, || self.enter(id, &wanted, &subnets, end))?;
        let name = found.meta.fq_name.clone();
        let uuid = found.meta.uuid.unwrap_or_default();
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

    /// Finds or makes the virtual network and marks it as used; `None` when its last user has taken it
    /// along meanwhile.
    fn enter(
        &self,
        id: &NetworkId,
        wanted: &Wanted,
        subnets: &[SubnetSpec],
        end: Deadline,
    ) -> Result<Option<VirtualNetwork>> {
        let found = self.find(&wanted.options.target, end)?;
        let name = found.as_ref().map(|network| network.meta.fq_name.clone());
        let name = name.unwrap_or_else(|| wanted.options.target.name());
        self.check_pools(&wanted.pools, &name)?;
        let found = match found {
            Some(found) => found,
            None => self.make(id, wanted, subnets, end)?,
        };
        let spec = NetworkSpec {
            fq_name: found.meta.fq_name.clone(),
            subnets: subnets.to_vec(),
        };
        subnets::check(&spec, &self.subnets_of(&found, end)?)?;
        let joined = self.join_users(id, wanted, &found, end);
        match joined {
            Err(Error::Core(error)) if error.is_not_found() => Ok(None),
            other => other.map(|()| Some(found)),
        }
    }

    /// Gives the network what its first Docker network wants it to have, or sees that it has it, and marks
    /// it as used.
    fn join_users(
        &self,
        id: &NetworkId,
        wanted: &Wanted,
        found: &VirtualNetwork,
        end: Deadline,
    ) -> Result<()> {
        let uuid = found.meta.uuid.unwrap_or_default();
        match users::is_only_a_pool(found) {
            true => self.set_targets(&wanted.options, uuid, end)?,
            false => check_targets(&wanted.options, found)?,
        }
        let mark = self.mark(id);
        Ok(users::join(
            &self.attacher,
            found,
            &mark,
            &recover::note(wanted),
            end,
        )?)
    }

    /// Addresses of one virtual network are none of another.
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

    /// The subnets of a virtual network.
    pub(super) fn subnets_of(
        &self,
        network: &VirtualNetwork,
        end: Deadline,
    ) -> Result<Vec<Subnet>> {
        let subnets = self.client(end).subnets_of(network)?;
        Ok(subnets.iter().filter_map(Subnet::of).collect())
    }

    /// The virtual network, if it exists.
    pub(super) fn lookup(&self, target: &Target, end: Deadline) -> Result<Option<VirtualNetwork>> {
        Ok(match target {
            Target::Named(name) | Target::Existing(name) => {
                self.attacher.find_network(name, end)?
            }
            Target::Id(id) => self.client(end).get_opt(*id)?,
        })
    }

    /// The virtual network; one that is only named need not exist.
    fn find(&self, target: &Target, end: Deadline) -> Result<Option<VirtualNetwork>> {
        let missing = |name: String| CoreError::NotFound {
            kind: "virtual-network",
            name,
            hint: Some("option vn names one that must exist; name=… makes one".into()),
        };
        match (self.lookup(target, end)?, target) {
            (None, Target::Existing(name)) => Err(missing(name.to_string()).into()),
            (None, Target::Id(id)) => Err(missing(id.to_string()).into()),
            (found, _) => Ok(found),
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
        object.rest.extend(directed_targets(options));
        Ok(self.attacher.create_network(&object, end)?)
    }

    /// Gives a network that has none the route targets that are asked for.
    fn set_targets(&self, options: &NetworkOptions, id: Uuid, end: Deadline) -> Result<()> {
        let mut changes = directed_targets(options);
        if !options.route_targets.is_empty() {
            let targets = json!({ "route_target": options.route_targets });
            changes.insert("route_target_list".to_owned(), targets);
        }
        if !changes.is_empty() {
            self.client(end)
                .update::<VirtualNetwork>(id, &changes.into())?;
        }
        Ok(())
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
                    purpose: &format!("{AUXILIARY} {label} of Docker network {}", id.short()),
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

    /// The annotation of this host's Docker network on the virtual network that it uses.
    pub(super) fn mark(&self, id: &NetworkId) -> String {
        users::mark(&self.node, id.as_str())
    }
}

/// The properties for route targets that only import or export.
fn directed_targets(options: &NetworkOptions) -> Map<String, Value> {
    let lists = [
        ("import_route_target_list", &options.imports),
        ("export_route_target_list", &options.exports),
    ];
    let given = lists.into_iter().filter(|(_, targets)| !targets.is_empty());
    given
        .map(|(key, targets)| (key.to_owned(), json!({ "route_target": targets })))
        .collect()
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
