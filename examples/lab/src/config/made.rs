//! What the controller's own processes have made, and what they remember: a part of the state.

pub mod memory;

use std::collections::{BTreeMap, BTreeSet};

use contrail_core::FqName;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::memory::Memory;
use super::id_pool::IdPool;

/// The first number of route targets that the controller gives.
const FIRST_NUMBER: u64 = 8_000_001;

/// References that the processes have made, from one object to another.
pub type Links = BTreeSet<(Uuid, Uuid)>;

/// What they have made, and what they remember.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Made {
    /// What is remembered of port tuples and their interfaces.
    pub(in crate::config) memory: Memory,
    /// The service chains that policies ask for, by what makes a chain the same one.
    pub(in crate::config) chains: BTreeMap<String, Chain>,
    /// The shared addresses, each with its service instance.
    pub(in crate::config) shared: BTreeMap<Uuid, Uuid>,
    /// The addresses of transparent service instances in chains.
    pub(in crate::config) wires: BTreeMap<Uuid, String>,
    /// The VLAN tags of transparent service instances in chains.
    pub(in crate::config) tags: BTreeMap<String, u32>,
    /// The routing instances of legs.
    pub(in crate::config) routing_instances: BTreeSet<Uuid>,
    /// Connections between routing instances, each with the smaller id first.
    pub(in crate::config) connections: Links,
    /// References from the interfaces of transparent service instances to routing instances.
    pub(in crate::config) steered: Links,
    /// The interfaces that have a `vrf_assign_table`.
    pub(in crate::config) assigned: BTreeSet<Uuid>,
    /// The access control lists of networks.
    pub(in crate::config) access_lists: BTreeSet<Uuid>,
    /// Route targets.
    pub(in crate::config) targets: Targets,
}

impl Made {
    /// The service chains that policies ask for.
    pub fn chains(&self) -> impl Iterator<Item = &Chain> {
        self.chains.values()
    }

    /// The service chains that packets can pass.
    pub fn built_chains(&self) -> impl Iterator<Item = &Chain> {
        self.chains().filter(|chain| chain.is_built)
    }

    /// Whether there is anything that policies or service instances asked for.
    pub(in crate::config) fn has_services(&self) -> bool {
        !self.memory.is_empty()
            || !self.chains.is_empty()
            || !self.shared.is_empty()
            || !self.connections.is_empty()
            || !self.access_lists.is_empty()
    }
}

/// A service chain that a policy asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    /// Its id: random, and the same until no policy asks for it.
    pub id: Uuid,
    /// The ids of the rules: one in each policy that asks for it.
    pub rules: BTreeSet<String>,
    /// The left network.
    pub left: FqName,
    /// The right network.
    pub right: FqName,
    /// Whether the routes of the left network are passed on to the right one.
    pub both_ways: bool,
    /// The service instances from left to right.
    pub services: Vec<FqName>,
    /// Whether it has been built.
    pub is_built: bool,
}

impl Chain {
    /// The routing instance of a service instance in a network.
    pub fn routing_instance(&self, network: &FqName, service: &FqName) -> FqName {
        let service = service.to_string().replace(':', "_");
        network.child(format!("service-{}-{service}", self.id))
    }
}

/// What has been made of route targets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Targets {
    pub(in crate::config) numbers: IdPool,
    /// The number of each routing instance.
    pub(in crate::config) of: BTreeMap<Uuid, u64>,
    /// The route targets.
    pub(in crate::config) made: BTreeSet<Uuid>,
    /// The references from routing instances to them.
    pub(in crate::config) links: Links,
}

impl Default for Targets {
    fn default() -> Self {
        Self {
            numbers: IdPool::from(FIRST_NUMBER),
            of: BTreeMap::new(),
            made: BTreeSet::new(),
            links: Links::new(),
        }
    }
}
