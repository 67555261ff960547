//! Everything the configuration API remembers, as one value.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::alloc::SpaceSubnet;
use super::id_pool::IdPool;
use super::made::Made;
use super::schema::Kind;
use super::store::Store;

/// The state. It can be saved, loaded and copied.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// The objects.
    pub store: Store,
    /// The subnets by the network or IPAM that has them.
    pub spaces: HashMap<Uuid, Vec<SpaceSubnet>>,
    /// The clients' key-value store.
    pub key_values: BTreeMap<String, String>,
    /// The numbers of virtual networks.
    pub network_ids: IdPool,
    /// The numbers of security groups.
    pub group_ids: IdPool,
    /// What the controller's other processes have made.
    #[serde(default)]
    pub made: Made,
    /// What `/aaa-mode` says.
    pub aaa_mode: String,
    /// Names of objects that are gone, but whose delete is not through.
    #[serde(skip, default)]
    pub locked: HashMap<(Kind, String), Uuid>,
    /// What the paths in texts about lost races begin with, if the server has one.
    #[serde(skip, default)]
    pub cluster_id: Option<String>,
    /// The types that the code names.
    #[serde(skip, default)]
    pub kinds: Kinds,
    /// Counts changes.
    #[serde(skip, default)]
    pub revision: u64,
}

macro_rules! kinds {
    ($($field:ident = $name:literal),* $(,)?) => {
        /// The types that the code names, looked up once.
        #[derive(Clone, Copy, Debug)]
        #[allow(missing_docs)] // each field is the type of its name
        pub struct Kinds { $(pub $field: Kind),* }

        impl Default for Kinds {
            fn default() -> Self {
                // The names are literals of this file; a test of the schema loads them all.
                Self { $($field: Kind::find($name).unwrap_or_else(|| unreachable!($name))),* }
            }
        }
    };
}

kinds! {
    access_control_list = "access-control-list",
    api_access_list = "api-access-list",
    application_policy_set = "application-policy-set",
    domain = "domain",
    floating_ip = "floating-ip",
    floating_ip_pool = "floating-ip-pool",
    global_system_config = "global-system-config",
    global_vrouter_config = "global-vrouter-config",
    instance_ip = "instance-ip",
    network_ipam = "network-ipam",
    network_policy = "network-policy",
    port_tuple = "port-tuple",
    project = "project",
    route_target = "route-target",
    routing_instance = "routing-instance",
    security_group = "security-group",
    service_instance = "service-instance",
    service_template = "service-template",
    virtual_machine = "virtual-machine",
    virtual_machine_interface = "virtual-machine-interface",
    virtual_network = "virtual-network",
    virtual_router = "virtual-router",
}

impl State {
    /// Nothing at all.
    pub fn empty() -> Self {
        Self {
            store: Store::default(),
            spaces: HashMap::new(),
            key_values: BTreeMap::new(),
            network_ids: IdPool::from(1),
            // The first numbers of this range are reserved.
            group_ids: IdPool::from(8_000_001),
            made: Made::default(),
            aaa_mode: "no-auth".into(),
            locked: HashMap::new(),
            cluster_id: None,
            kinds: Kinds::default(),
            revision: 0,
        }
    }

    /// Notes that something changed.
    pub fn touch(&mut self) {
        self.revision += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_the_code_names_is_in_the_table() {
        assert_eq!(Kinds::default().virtual_network.name(), "virtual-network");
    }
}
