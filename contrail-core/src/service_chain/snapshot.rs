//! What the controller has of a chain: everything that planning looks at, read once.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::chain::Chain;
use super::description::Port;
use super::membership::orphan::orphans;
use super::types::Leg;
use crate::api::objects::{
    IpamSubnet, NetworkPolicy, PortTuple, Project, ServiceInstance, ServiceTemplate,
    VirtualMachine, VirtualMachineInterface, VirtualNetwork,
};
use crate::api::{Client, ListQuery, Resource};
use crate::error::Result;
use crate::ownership::chains as mark;
use crate::values::FqName;

/// What the controller has of a chain.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The projects of the chain's objects that exist.
    pub(super) projects: BTreeSet<FqName>,
    /// The networks of the chain that exist.
    pub(super) networks: BTreeMap<FqName, FoundNetwork>,
    /// The VM interfaces in those networks, those of port tuples and those that are named by id.
    pub(super) interfaces: BTreeMap<Uuid, VirtualMachineInterface>,
    /// The virtual machines of those.
    pub(super) machines: BTreeMap<Uuid, VirtualMachine>,
    /// The policy of the chain's name, with the networks that it is attached to.
    pub(super) policy: Option<NetworkPolicy>,
    /// The other policies that are attached to the networks on both sides.
    pub(super) others: BTreeMap<Uuid, NetworkPolicy>,
    /// The templates of the services, and those of the instances that exist.
    pub(super) templates: BTreeMap<FqName, FoundTemplate>,
    /// The service instances of the chain, and others that it has made.
    pub(super) instances: BTreeMap<FqName, FoundInstance>,
}

/// A network.
#[derive(Clone, Debug)]
pub(super) struct FoundNetwork {
    pub(super) object: VirtualNetwork,
    /// Its prefixes; none when nothing in it can have an address.
    pub(super) prefixes: Vec<String>,
}

/// A service template.
#[derive(Clone, Debug)]
pub(super) struct FoundTemplate {
    pub(super) object: ServiceTemplate,
    /// The service instances that refer to it.
    pub(super) users: BTreeSet<FqName>,
}

/// A service instance.
#[derive(Clone, Debug)]
pub(super) struct FoundInstance {
    pub(super) object: ServiceInstance,
    /// Its port tuples, with the ports that refer to them: its children and its orphans.
    pub(super) tuples: Vec<PortTuple>,
    /// Those that belong to an earlier service instance of its name.
    pub(super) orphans: BTreeSet<Uuid>,
}

impl Snapshot {
    /// Reads everything; nothing is written.
    ///
    /// # Errors
    /// When the API cannot be asked.
    pub fn read(client: &Client, chain: &Chain) -> Result<Self> {
        let mut reader = Reader {
            client,
            chain,
            found: Self::default(),
        };
        reader.projects()?;
        reader.networks()?;
        reader.policies()?;
        // A port tuple that one of them refers to is older than the children that are read after it.
        reader.interfaces()?;
        reader.instances()?;
        reader.orphans()?;
        reader.templates()?;
        reader.named_interfaces()?;
        reader.machines()?;
        Ok(reader.found)
    }

    /// The port tuple of an id.
    pub(super) fn tuple(&self, uuid: Uuid) -> Option<&PortTuple> {
        let mut all = self.instances.values().flat_map(|found| &found.tuples);
        all.find(|tuple| tuple.uuid() == Some(uuid))
    }

    /// The virtual machine of a VM interface.
    pub(super) fn machine_of(&self, port: &VirtualMachineInterface) -> Option<&VirtualMachine> {
        let machine = port.virtual_machine_refs.first()?.uuid?;
        self.machines.get(&machine)
    }
}

impl FoundInstance {
    /// The port tuples that belong to an earlier service instance of its name.
    pub(super) fn orphans(&self) -> impl Iterator<Item = &PortTuple> {
        let is_orphan = |id: Uuid| self.orphans.contains(&id);
        let tuples = self.tuples.iter();
        tuples.filter(move |tuple| tuple.uuid().is_some_and(is_orphan))
    }
}

struct Reader<'a> {
    client: &'a Client,
    chain: &'a Chain,
    found: Snapshot,
}

impl Reader<'_> {
    fn projects(&mut self) -> Result<()> {
        let services = self.chain.services.iter().map(|service| &service.name);
        let names: BTreeSet<FqName> = services
            .chain([&self.chain.policy])
            .map(FqName::parent)
            .collect();
        for name in names {
            if self.client.id_of::<Project>(&name)?.is_some() {
                self.found.projects.insert(name);
            }
        }
        Ok(())
    }

    fn networks(&mut self) -> Result<()> {
        let services = self.chain.services.iter();
        let legs = services.flat_map(|service| service.legs().map(|(_, network)| network));
        let names: BTreeSet<&FqName> = legs.chain(self.chain.ends()).collect();
        for name in names {
            if let Some(object) = self.client.lookup::<VirtualNetwork>(name)? {
                let prefixes = self.prefixes(&object)?;
                let network = FoundNetwork { object, prefixes };
                self.found.networks.insert(name.clone(), network);
            }
        }
        Ok(())
    }

    fn prefixes(&self, network: &VirtualNetwork) -> Result<Vec<String>> {
        let subnets = self.client.subnets_of(network)?;
        let prefixes = subnets.iter().filter_map(IpamSubnet::prefix);
        Ok(prefixes.map(|prefix| prefix.to_string()).collect())
    }

    fn policies(&mut self) -> Result<()> {
        let own = self.client.id_of::<NetworkPolicy>(&self.chain.policy)?;
        if let Some(uuid) = own {
            let query = ListQuery::ids([uuid])
                .detail()
                .fields(&["virtual_network_back_refs"]);
            self.found.policy = self.client.list_whole(&query)?.pop();
        }
        let ends = self.chain.ends();
        let ends = ends
            .into_iter()
            .filter_map(|end| self.found.networks.get(end));
        let refs = ends.flat_map(|network| &network.object.network_policy_refs);
        let ids: BTreeSet<Uuid> = refs.filter_map(|policy| policy.uuid).collect();
        let ids = ids.into_iter().filter(|id| Some(*id) != own);
        let others: Vec<NetworkPolicy> = self.client.list(&ListQuery::ids(ids).detail())?;
        let with_id = |policy: NetworkPolicy| Some((policy.uuid()?, policy));
        self.found.others = others.into_iter().filter_map(with_id).collect();
        Ok(())
    }

    fn instances(&mut self) -> Result<()> {
        let project = self.chain.policy.parent();
        let query = ListQuery::children_of("project", project.clone()).detail();
        let all: Vec<ServiceInstance> = self.client.list(&query)?;
        let wanted: BTreeSet<&FqName> = self.chain.services.iter().map(|s| &s.name).collect();
        let mut objects: Vec<ServiceInstance> = all
            .into_iter()
            .filter(|object| {
                wanted.contains(object.fq_name()) || mark::is_of(&object.meta, &self.chain.name)
            })
            .collect();
        for name in wanted {
            if name.parent() != project {
                objects.extend(self.client.lookup::<ServiceInstance>(name)?);
            }
        }
        for object in objects {
            let Some(uuid) = object.uuid() else { continue };
            let query = ListQuery::children_of_id(uuid)
                .detail()
                .fields(&["virtual_machine_interface_back_refs"]);
            let tuples = self.client.list_whole(&query)?;
            let name = object.fq_name().clone();
            let instance = FoundInstance {
                object,
                tuples,
                orphans: BTreeSet::new(),
            };
            self.found.instances.insert(name, instance);
        }
        Ok(())
    }

    /// The orphans of the service instances; no request if there are none.
    fn orphans(&mut self) -> Result<()> {
        let instances = &mut self.found.instances;
        let children = instances.values().flat_map(|found| &found.tuples);
        let children = children.filter_map(Resource::uuid).collect();
        let is_service = |name: &FqName| instances.contains_key(name);
        let ids = orphans(self.found.interfaces.values(), is_service, &children);
        let query = ListQuery::ids(ids)
            .detail()
            .fields(&["virtual_machine_interface_back_refs"]);
        for tuple in self.client.list_whole::<PortTuple>(&query)? {
            if let Some(found) = instances.get_mut(&tuple.fq_name().parent()) {
                found.orphans.extend(tuple.uuid());
                found.tuples.push(tuple);
            }
        }
        Ok(())
    }

    fn templates(&mut self) -> Result<()> {
        let mut objects: Vec<ServiceTemplate> = Vec::new();
        let services = self.chain.services.iter();
        let names: BTreeSet<FqName> = services.map(|s| s.template_name()).collect();
        for name in &names {
            objects.extend(self.client.lookup(name)?);
        }
        let instances = self.found.instances.values();
        let refs = instances.flat_map(|instance| &instance.object.service_template_refs);
        let refs = refs.filter(|template| !names.contains(&template.to));
        let ids: BTreeSet<Uuid> = refs.filter_map(|template| template.uuid).collect();
        objects.extend(self.client.list(&ListQuery::ids(ids).detail())?);
        for object in objects {
            let Some(uuid) = object.uuid() else { continue };
            let query = ListQuery::referring_to(uuid);
            let users: Vec<ServiceInstance> = self.client.list_whole(&query)?;
            let users = users.iter().map(|user| user.fq_name().clone()).collect();
            let name = object.fq_name().clone();
            let template = FoundTemplate { object, users };
            self.found.templates.insert(name, template);
        }
        Ok(())
    }

    fn interfaces(&mut self) -> Result<()> {
        for network in self.found.networks.values() {
            let Some(uuid) = network.object.uuid() else {
                continue;
            };
            let query = ListQuery::referring_to(uuid).detail();
            let ports = self.client.list::<VirtualMachineInterface>(&query)?;
            add(&mut self.found.interfaces, ports);
        }
        Ok(())
    }

    fn named_interfaces(&mut self) -> Result<()> {
        let known = &self.found.interfaces;
        let missing = |id: &Uuid| !known.contains_key(id);
        let ids: BTreeSet<Uuid> = self.named_ports().filter(missing).collect();
        let ports = self.client.list(&ListQuery::ids(ids).detail())?;
        add(&mut self.found.interfaces, ports);
        Ok(())
    }

    fn machines(&mut self) -> Result<()> {
        let ports = self.found.interfaces.values();
        let refs = ports.flat_map(|port| &port.virtual_machine_refs);
        let ids: BTreeSet<Uuid> = refs.filter_map(|machine| machine.uuid).collect();
        let query = ListQuery::ids(ids).fields(&["display_name", "annotations"]);
        let machines = self.client.list(&query)?;
        add(&mut self.found.machines, machines);
        Ok(())
    }

    /// The VM interfaces that the description or a port tuple names.
    fn named_ports(&self) -> impl Iterator<Item = Uuid> {
        let members = self.chain.services.iter().flat_map(|s| &s.members);
        let given = members.flat_map(|member| {
            Leg::ALL
                .into_iter()
                .filter_map(|leg| match member.port(leg) {
                    Some(Port::Id(id)) => Some(*id),
                    _ => None,
                })
        });
        let tuples = self.found.instances.values().flat_map(|i| &i.tuples);
        let joined = tuples.flat_map(|tuple| &tuple.virtual_machine_interface_back_refs);
        given.chain(joined.filter_map(|port| port.uuid))
    }
}

fn add<R: Resource>(known: &mut BTreeMap<Uuid, R>, objects: Vec<R>) {
    let with_id = |object: R| Some((object.uuid()?, object));
    known.extend(objects.into_iter().filter_map(with_id));
}
