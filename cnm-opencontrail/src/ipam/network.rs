//! The virtual network of a pool: finds it, creates it, or adds the pool's subnet.

use std::net::IpAddr;

use contrail_core::api::{IpamSubnet, ListQuery, Resource, VirtualNetwork};
use contrail_core::attach::network::subnets::{self, Subnet};
use contrail_core::attach::{Attacher, NetworkSpec, SubnetSpec};
use contrail_core::attach::{Error, Result};
use contrail_core::error::Layered;
use contrail_core::ownership::is_by_plugin;
use contrail_core::values::Family;
use contrail_core::{Deadline, Error as CoreError, FqName};
use ipnetwork::IpNetwork;
use serde_json::json;
use uuid::Uuid;

use super::pool::Pool;
use super::store::NetworkFacts;
use crate::network_users::{self, User};
use crate::options::Target;

/// A virtual network that exists.
pub(super) struct Found {
    object: VirtualNetwork,
    /// Its subnets, in the order in which addresses are taken from them.
    subnets: Vec<IpamSubnet>,
}

/// The virtual network that the options name; `None` if it does not exist and may be created.
///
/// # Errors
/// [`Error::NotFound`] if it must exist and does not.
pub(super) fn find(attacher: &Attacher, target: &Target, end: Deadline) -> Result<Option<Found>> {
    let client = attacher.client(end);
    let object = match target {
        Target::Named(name) => attacher.find_network(name, end)?,
        Target::Existing(name) => {
            let found = attacher.find_network(name, end)?;
            Some(found.ok_or_else(|| missing(name.to_string()))?)
        }
        Target::Id(id) => {
            let found = client.get_opt::<VirtualNetwork>(*id)?;
            Some(found.ok_or_else(|| missing(id.to_string()))?)
        }
    };
    let Some(object) = object else {
        return Ok(None);
    };
    let subnets = client.subnets_of(&object)?;
    Ok(Some(Found { object, subnets }))
}

/// The names of the virtual networks of a project that have a subnet.
///
/// # Errors
/// If the API cannot be reached.
pub(super) fn with_subnet(
    attacher: &Attacher,
    project: &FqName,
    prefix: IpNetwork,
    end: Deadline,
) -> Result<Vec<FqName>> {
    let client = attacher.client(end);
    let query = ListQuery::children_of("project", project.clone()).fields(&["network_ipam_refs"]);
    let mut names = Vec::new();
    // One that cannot be read is not the one that is meant, as far as can be known.
    for network in client.listed::<VirtualNetwork>(&query)?.objects {
        let subnets = client.subnets_of(&network)?;
        if subnets.iter().any(|subnet| subnet.prefix() == Some(prefix)) {
            names.push(network.meta.fq_name);
        }
    }
    Ok(names)
}

/// The network of a pool. It is created if it does not exist. The subnet is added if this project made
/// the network and it has none of the family yet, or the user wants the subnet added.
///
/// # Errors
/// [`Error::NetworkMismatch`] if it contradicts the pool or the gateway.
pub(super) fn ensure(
    attacher: &Attacher,
    pool: &Pool,
    gateway: Option<IpAddr>,
    adds_subnet: bool,
    user: &User,
    end: Deadline,
) -> Result<NetworkFacts> {
    let spec = spec(pool, gateway);
    let operation = || format!("entering virtual network {}", pool.network);
    attacher.client(end).wait_for(operation, || {
        let found = obtain(attacher, pool, &spec, adds_subnet, user, end)?;
        found.check(pool, false)?;
        subnets::check(&spec, &found.known())?;
        if is_by_plugin(&found.object.meta) {
            match network_users::register(attacher, &found.object, user, end) {
                // Its last user has just removed it.
                Err(error) if error.is_not_found() => return Ok(None),
                joined => joined?,
            }
        }
        found.facts(pool, gateway).map(Some)
    })
}

/// The network of a pool: finds it, adds the subnet, or creates it.
fn obtain(
    attacher: &Attacher,
    pool: &Pool,
    spec: &NetworkSpec,
    adds_subnet: bool,
    user: &User,
    end: Deadline,
) -> Result<Found> {
    let target = Target::Named(pool.network.clone());
    match find(attacher, &target, end)? {
        Some(found) if found.takes(pool, adds_subnet) => {
            found.add(attacher, spec, end)?;
            Ok(find(attacher, &target, end)?.ok_or_else(|| missing(pool.network.to_string()))?)
        }
        Some(found) => Ok(found),
        None => {
            let mut object = attacher.new_network(spec)?;
            user.clone().add_to(&mut object);
            let object = attacher.create_network(&object, end)?;
            let subnets = attacher.client(end).subnets_of(&object)?;
            Ok(Found { object, subnets })
        }
    }
}

impl Found {
    pub(super) fn name(&self) -> &FqName {
        &self.object.meta.fq_name
    }

    /// The prefixes of a family.
    pub(super) fn prefixes(&self, family: Family) -> impl Iterator<Item = IpNetwork> {
        let prefixes = self.subnets.iter().filter_map(IpamSubnet::prefix);
        prefixes.filter(move |prefix| Family::of(prefix.ip()) == family)
    }

    /// Checks that a pool is a subnet of this network, or may be added to it.
    ///
    /// # Errors
    /// [`Error::NetworkMismatch`] with both values; [`Error::Invalid`] for another subnet of a network that
    /// this project made.
    pub(super) fn check(&self, pool: &Pool, adds_subnet: bool) -> Result<()> {
        if self.takes(pool, adds_subnet) {
            return Ok(());
        }
        let outcome = subnets::check(&spec(pool, None), &self.known());
        let has_it = self.prefixes(pool.family()).any(|p| p == pool.prefix);
        match outcome {
            Err(Error::NetworkMismatch { existing, .. })
                if is_by_plugin(&self.object.meta) && !has_it =>
            {
                let reason = format!(
                    "virtual network {} has {existing}: to give it another one, add --ipam-opt add-subnet=true",
                    self.name()
                );
                Err(CoreError::invalid("--subnet", pool.prefix.to_string(), reason).into())
            }
            other => other,
        }
    }

    /// Whether the pool's subnet is to be added.
    fn takes(&self, pool: &Pool, adds_subnet: bool) -> bool {
        let mut of_family = self.prefixes(pool.family());
        let lacks = match adds_subnet {
            true => of_family.all(|prefix| prefix != pool.prefix),
            false => of_family.next().is_none(),
        };
        lacks && is_by_plugin(&self.object.meta)
    }

    fn known(&self) -> Vec<Subnet> {
        self.subnets.iter().filter_map(Subnet::of).collect()
    }

    /// Adds a subnet; all others are sent back as they were read.
    fn add(&self, attacher: &Attacher, spec: &NetworkSpec, end: Deadline) -> Result<()> {
        let new = attacher.new_network(spec)?;
        let mut links = self.object.network_ipam_refs.clone();
        // A flat IPAM does not take subnets of a network.
        let is_real = |subnet: &IpamSubnet| subnet.prefix().is_some();
        let attrs = links.iter_mut().filter_map(|link| link.attr.as_mut());
        let mut takers = attrs.filter(|attr| attr.ipam_subnets.iter().all(is_real));
        match takers.next() {
            Some(attr) => attr.ipam_subnets.extend(new.subnets().cloned()),
            None => links.extend(new.network_ipam_refs),
        }
        let id = self.object.id()?;
        log::info!("adding a subnet to virtual network {}", self.name());
        attacher
            .client(end)
            .update::<VirtualNetwork>(id, &json!({"network_ipam_refs": links}))?;
        Ok(())
    }

    fn facts(&self, pool: &Pool, asked: Option<IpAddr>) -> Result<NetworkFacts> {
        let of_pool = |subnet: &&IpamSubnet| subnet.prefix() == Some(pool.prefix);
        let subnet = self.subnets.iter().find(of_pool);
        let subnet = subnet.ok_or_else(|| missing(format!("{} of {pool}", pool.prefix)))?;
        let several = self.prefixes(pool.family()).count() > 1;
        Ok(NetworkFacts {
            network: self.object.id()?,
            subnet: subnet.subnet_uuid.filter(|_| several),
            gateway: subnet.gateway(),
            asked,
        })
    }
}

fn spec(pool: &Pool, gateway: Option<IpAddr>) -> NetworkSpec {
    NetworkSpec {
        fq_name: pool.network.clone(),
        subnets: vec![SubnetSpec {
            gateway,
            pools: pool.bounds().into_iter().collect(),
            ..SubnetSpec::new(pool.prefix)
        }],
    }
}

fn missing(name: String) -> CoreError {
    CoreError::NotFound {
        kind: "virtual-network",
        name,
        hint: Some("create it, or name it by --ipam-opt name= and give its --subnet".into()),
    }
}

/// The id of a pool's network if the pool is registered as its user.
pub(super) fn registered(
    attacher: &Attacher,
    pool: &Pool,
    user_keys: &[String],
    end: Deadline,
) -> Result<Option<Uuid>> {
    let found = attacher
        .client(end)
        .lookup::<VirtualNetwork>(&pool.network)?;
    let is_user = |network: &VirtualNetwork| {
        let annotations = &network.meta.annotations;
        user_keys.iter().any(|key| annotations.get(key).is_some())
    };
    Ok(found.filter(is_user).and_then(|network| network.meta.uuid))
}

/// The id of the network of a pool, by its name.
pub(super) fn id_of(attacher: &Attacher, pool: &Pool, end: Deadline) -> Result<Option<Uuid>> {
    Ok(attacher
        .client(end)
        .id_of::<VirtualNetwork>(&pool.network)?)
}
