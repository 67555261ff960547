//! Two hosts with containers of both runtimes, on one lab and one kernel.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, RwLock};
use std::time::Duration;

use contrail_core::api::{Client, InstanceIp, ListQuery, VirtualMachineInterface};
use contrail_core::attach::Result;
use contrail_core::attach::{
    Attached, Attacher, Attachment, Detachment, Expected, NetworkSpec, SubnetSpec,
};
use contrail_core::{Deadline, FqName};
use contrail_lab::lab::Lab;
use contrail_lab::sandbox::TestNetns;
use opencontrail_tests::world::client;
use serde_json::json;
use uuid::Uuid;

use crate::engine::{Engine, settings};

/// How many containers each host has of each runtime.
pub const CONTAINERS: usize = 5;

/// How many networks there are.
pub const NETWORKS: usize = 3;

/// A host with what runs on it.
pub struct Host {
    name: &'static str,
    /// What the CNI plugin calls.
    pub cni: Attacher,
    /// The Docker plugin, which can be started again.
    docker: RwLock<Engine>,
    namespaces: Vec<TestNetns>,
    /// What the last ADD of each container has answered.
    results: Vec<Mutex<Option<Attached>>>,
}

/// The network with this number.
pub fn network(number: usize) -> FqName {
    FqName::new(["default-domain", "admin", &format!("net{number}")])
}

fn subnet(number: usize) -> String {
    format!("10.{number}.0.0/24")
}

/// The interface `eth0` of a container in a network.
pub fn attachment(container: &str, network_number: usize, netns: &Path) -> Attachment {
    let network = NetworkSpec {
        fq_name: network(network_number),
        subnets: vec![SubnetSpec::new(subnet(network_number).parse().unwrap())],
    };
    Attachment {
        configuration: Some("test".into()),
        ..Attachment::new(container, "eth0", netns, network)
    }
}

impl Host {
    pub fn new(name: &'static str) -> Self {
        let state = format!("/var/lib/contrail/{name}-cni");
        let settings = settings(name, &state, ["4", "2"]);
        let namespace = |number| TestNetns::new(&format!("{name}-{number}")).unwrap();
        Self {
            name,
            cni: settings.attacher("cni-opencontrail").unwrap(),
            docker: RwLock::new(Engine::on(name)),
            namespaces: (0..CONTAINERS).map(namespace).collect(),
            results: (0..CONTAINERS).map(|_| Mutex::default()).collect(),
        }
    }

    /// The Docker networks, which stay.
    pub fn create_networks(&self) {
        for number in 0..NETWORKS {
            let engine = self.docker.read().unwrap();
            let id = format!("{}-n{number}", self.name);
            let created = engine.create_network(&id, &format!("net{number}"), &subnet(number));
            created.unwrap();
        }
    }

    pub fn delete_networks(&self) {
        for number in 0..NETWORKS {
            let engine = self.docker.read().unwrap();
            engine.delete_network(&format!("{}-n{number}", self.name));
        }
    }

    /// The id of a CNI container.
    pub fn container(&self, number: usize) -> String {
        format!("{}-c{number}", self.name)
    }

    /// CNI ADD. Each container has its network.
    pub fn add(&self, number: usize) -> Result<()> {
        let attachment = attachment(
            &self.container(number),
            number % NETWORKS,
            self.namespaces[number].path(),
        );
        let attached = self.cni.attach(&[attachment])?;
        *self.results[number].lock().unwrap() = attached.into_iter().next();
        Ok(())
    }

    /// CNI DEL.
    pub fn del(&self, number: usize) -> Result<()> {
        let detachment = Detachment {
            container: self.container(number),
            ifname: "eth0".into(),
        };
        self.cni.detach(&[detachment]).map(|_| ())
    }

    /// CNI CHECK of what the last ADD has answered.
    pub fn check(&self, number: usize) -> Result<Vec<String>> {
        let Some(attached) = self.results[number].lock().unwrap().clone() else {
            return Ok(Vec::new());
        };
        let expected = Expected {
            container: self.container(number),
            ifname: "eth0".into(),
            netns: self.namespaces[number].path().to_owned(),
            network: network(number % NETWORKS),
            mac: Some(attached.mac),
            addresses: attached.addresses.iter().map(|a| a.address).collect(),
            routes: Vec::new(),
            interfaces: vec!["eth0".into()],
            service: None,
        };
        self.cni
            .check(&expected, Deadline::after(Duration::from_secs(4)))
    }

    /// CNI GC of a network: those with a number in `keep` stay.
    pub fn collect(&self, network_number: usize, keep: &BTreeSet<usize>) -> Result<usize> {
        let keep = keep
            .iter()
            .map(|number| (self.container(*number), "eth0".to_owned()));
        let end = Deadline::after(Duration::from_secs(4));
        self.cni
            .collect(&network(network_number), "test", &keep.collect(), end)
    }

    /// A Docker container comes; what Docker's own IPAM would give it is its own.
    pub fn run(&self, number: usize) -> std::result::Result<(), String> {
        let (network, endpoint) = self.docker_ids(number);
        let host = usize::from(self.name == "host2");
        let address = format!("10.{}.0.{}/24", number % NETWORKS, 10 + 100 * host + number);
        let engine = self.docker.read().unwrap();
        engine.create_endpoint(&network, &endpoint, &address)?;
        match engine.join(&network, &endpoint, &endpoint) {
            Ok(_) => Ok(()),
            Err(error) => {
                // As Docker does when a container does not start.
                let ids = json!({"NetworkID": network, "EndpointID": endpoint});
                engine.send("DeleteEndpoint", ids).ok();
                Err(error)
            }
        }
    }

    /// A Docker container goes.
    pub fn remove(&self, number: usize) {
        let (network, endpoint) = self.docker_ids(number);
        let ids = json!({"NetworkID": network, "EndpointID": endpoint});
        let engine = self.docker.read().unwrap();
        // Errors of clean-ups an engine only logs.
        engine.send("Leave", ids.clone()).ok();
        engine.send("DeleteEndpoint", ids).ok();
    }

    fn docker_ids(&self, number: usize) -> (String, String) {
        let network = format!("{}-n{}", self.name, number % NETWORKS);
        (network, format!("{}-e{number}", self.name))
    }

    /// The Docker plugin ends and is started again.
    pub fn restart_docker(&self) {
        let mut engine = self.docker.write().unwrap();
        *engine = Engine::on(self.name);
    }

    /// What both plugins do by themselves, sooner or later.
    pub fn settle(&self) {
        self.cni
            .work_off_all_pending(Deadline::after(Duration::from_secs(10)));
        self.docker.read().unwrap().tidy();
    }
}

/// An instance IP: its address with its network, and the VM interface that has it.
fn instance_ips(client: &Client) -> Vec<(String, Option<Uuid>)> {
    let all: Vec<InstanceIp> = client.list(&ListQuery::all().detail()).unwrap();
    let ips = all.iter().map(|ip| {
        let network = ip
            .virtual_network_refs
            .first()
            .and_then(|network| network.uuid);
        let interface = ip.virtual_machine_interface_refs.first();
        let address = format!("{:?} in {network:?}", ip.address);
        (address, interface.and_then(|interface| interface.uuid))
    });
    let mut ips: Vec<_> = ips.collect();
    ips.sort();
    ips
}

/// The ids of all VM interfaces.
pub fn interfaces() -> BTreeSet<Uuid> {
    let all: Vec<VirtualMachineInterface> = client().list(&ListQuery::all()).unwrap();
    let ids = all.iter().filter_map(|object| object.meta.uuid);
    ids.collect()
}

/// Everything that contradicts itself: an object without the others that belong to it, an address twice.
pub fn contradictions(lab: &Lab) -> Vec<String> {
    lab.settle();
    let client = client();
    let mut found = Vec::new();
    let ports: BTreeSet<_> = lab.status().ports.iter().map(|port| port.id).collect();
    let links: BTreeSet<String> = opencontrail_tests::world::links().into_iter().collect();
    let query = ListQuery::all().detail();
    let interfaces: Vec<VirtualMachineInterface> = client.list(&query).unwrap();
    let ips = instance_ips(&client);
    let owners: BTreeSet<_> = ips.iter().filter_map(|(_, owner)| *owner).collect();
    let ids: BTreeSet<_> = interfaces
        .iter()
        .filter_map(|object| object.meta.uuid)
        .collect();
    for object in &interfaces {
        let Some(id) = object.meta.uuid else { continue };
        let link = contrail_core::values::identity::host_ifname(id);
        for (is_there, what) in [
            (ports.contains(&id), "agent port"),
            (links.contains(&link), "link"),
            (owners.contains(&id), "instance IP"),
            (!object.virtual_machine_refs.is_empty(), "virtual machine"),
        ] {
            if !is_there {
                found.push(format!("VM interface {id} has no {what}"));
            }
        }
    }
    for port in ports.difference(&ids) {
        found.push(format!("agent port {port} has no VM interface"));
    }
    let taps = links.iter().filter(|link| link.starts_with("tap"));
    let wanted: BTreeSet<String> = ids
        .iter()
        .map(|id| contrail_core::values::identity::host_ifname(*id))
        .collect();
    for tap in taps.filter(|tap| !wanted.contains(*tap)) {
        found.push(format!("link {tap} has no VM interface"));
    }
    if ips.len() != ids.len() {
        found.push(format!(
            "{} interfaces have {} addresses",
            ids.len(),
            ips.len()
        ));
    }
    for pair in ips.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        found.push(format!("address {} is given twice", pair[0].0));
    }
    found
}
