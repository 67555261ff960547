//! What the controller has of a chain: everything that planning looks at, read once.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::chain::Chain;
use super::description::Port;
use super::identified::{Identified, identified};
use super::membership::orphan::orphans;
use super::membership::tuple::with_ports;
use super::types::Leg;
use crate::api::objects::{
    IpamSubnet, NetworkPolicy, PortTuple, Project, ServiceInstance, ServiceTemplate,
    VirtualMachine, VirtualMachineInterface, VirtualNetwork,
};
use crate::api::{Client, ListQuery, Resource};
use crate::error::Result;
use crate::ownership::chains;
use crate::values::FqName;

/// What the controller has of a chain.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The projects of the chain's objects that exist.
    pub(super) projects: BTreeSet<FqName>,
    /// The networks of the chain that exist.
    pub(super) networks: BTreeMap<FqName, FoundNetwork>,
    /// The VM interfaces in those networks, those of port tuples and those that are named by id.
    pub(super) interfaces: BTreeMap<Uuid, Identified<VirtualMachineInterface>>,
    /// The virtual machines of those.
    pub(super) machines: BTreeMap<Uuid, VirtualMachine>,
    /// The policy of the chain's name, with the networks that it is attached to.
    pub(super) policy: Option<Identified<NetworkPolicy>>,
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
    pub(super) object: Identified<VirtualNetwork>,
    /// Its prefixes; none when nothing in it can have an address.
    pub(super) prefixes: Vec<String>,
}

/// A service template.
#[derive(Clone, Debug)]
pub(super) struct FoundTemplate {
    pub(super) object: Identified<ServiceTemplate>,
    /// The service instances that refer to it.
    pub(super) users: BTreeSet<FqName>,
}

/// A service instance.
#[derive(Clone, Debug)]
pub(super) struct FoundInstance {
    pub(super) object: Identified<ServiceInstance>,
    /// Its port tuples, with the ports that refer to them: its children and its orphans.
    pub(super) tuples: Vec<Identified<PortTuple>>,
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
    pub(super) fn tuple(&self, uuid: Uuid) -> Option<&Identified<PortTuple>> {
        let mut all = self.instances.values().flat_map(|found| &found.tuples);
        all.find(|tuple| tuple.id() == uuid)
    }

    /// The policies of the networks, other than the chain's own, that send packets through a service.
    pub(super) fn others_through(&self, service: &FqName) -> impl Iterator<Item = &NetworkPolicy> {
        let service = service.to_string();
        let others = self.others.values();
        others.filter(move |policy| policy.sends_through(&service))
    }

    /// The virtual machine of a VM interface.
    pub(super) fn machine_of(&self, port: &VirtualMachineInterface) -> Option<&VirtualMachine> {
        let machine = port.virtual_machine_refs.first()?.uuid?;
        self.machines.get(&machine)
    }
}

impl FoundInstance {
    /// The port tuples that belong to an earlier service instance of its name.
    pub(super) fn orphans(&self) -> impl Iterator<Item = &Identified<PortTuple>> {
        let tuples = self.tuples.iter();
        tuples.filter(|tuple| self.orphans.contains(&tuple.id()))
    }
}

struct Reader<'a> {
    client: &'a Client,
    chain: &'a Chain,
    found: Snapshot,
}

impl Reader<'_> {
    fn projects(&mut self) -> Result<()> {
        for name in self.chain.projects() {
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
            let found = self.client.lookup::<VirtualNetwork>(name)?;
            if let Some(object) = found.and_then(Identified::of) {
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
            self.found.policy = identified(self.client.list_whole(&query)?).pop();
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
        let all: Vec<ServiceInstance> = match &project {
            Some(project) => {
                let query = ListQuery::children_of("project", project.clone()).detail();
                self.client.list(&query)?
            }
            None => Vec::new(),
        };
        let wanted: BTreeSet<&FqName> = self.chain.services.iter().map(|s| &s.name).collect();
        let mut objects: Vec<ServiceInstance> = all
            .into_iter()
            .filter(|object| {
                wanted.contains(object.fq_name()) || chains::is_of(&object.meta, &self.chain.name)
            })
            .collect();
        for name in wanted {
            if name.parent() != project {
                objects.extend(self.client.lookup::<ServiceInstance>(name)?);
            }
        }
        for object in identified(objects) {
            let query = with_ports(ListQuery::children_of_id(object.id()));
            let tuples = identified(self.client.list_whole(&query)?);
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
        let children = children.map(Identified::id).collect();
        let is_service = |name: &FqName| instances.contains_key(name);
        let ports = self.found.interfaces.values().map(|port| &**port);
        let ids = orphans(ports, is_service, &children);
        let query = with_ports(ListQuery::ids(ids));
        for tuple in identified(self.client.list_whole::<PortTuple>(&query)?) {
            let service = tuple.fq_name().parent();
            if let Some(found) = service.and_then(|service| instances.get_mut(&service)) {
                found.orphans.insert(tuple.id());
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
        let refs =
            refs.filter(|template| !template.name().is_some_and(|name| names.contains(name)));
        let ids: BTreeSet<Uuid> = refs.filter_map(|template| template.uuid).collect();
        objects.extend(self.client.list(&ListQuery::ids(ids).detail())?);
        for object in identified(objects) {
            let query = ListQuery::referring_to(object.id());
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
            let query = ListQuery::referring_to(network.object.id()).detail();
            add(&mut self.found.interfaces, self.client.list(&query)?);
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
        let machines: Vec<VirtualMachine> = self.client.list(&query)?;
        let with_id = |machine: VirtualMachine| Some((machine.uuid()?, machine));
        self.found
            .machines
            .extend(machines.into_iter().filter_map(with_id));
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

fn add(
    known: &mut BTreeMap<Uuid, Identified<VirtualMachineInterface>>,
    ports: Vec<VirtualMachineInterface>,
) {
    let ports = identified(ports).into_iter();
    known.extend(ports.map(|port| (port.id(), port)));
}
