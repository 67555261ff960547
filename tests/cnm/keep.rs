//! Running containers stay connected: the plugin looks after the agent's ports and the API's objects.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use contrail_core::FqName;
use contrail_core::agent::{Agent, Port};
use contrail_core::api::{
    Client, InstanceIp, ListQuery, Resource, SecurityGroup, VirtualMachine,
    VirtualMachineInterface, VirtualNetwork,
};
use contrail_core::http::{Http, TlsSettings};
use contrail_lab::http::ServiceName;
use contrail_lab::lab::{Lab, Restartable};
use contrail_lab::sandbox;
use opencontrail_tests::world::{client, fault, lab};
use serde_json::json;

use crate::engine::{Engine, SUBNET, objects};
use crate::life::Life;

const PORTS: &str = "/var/lib/contrail/ports";

/// A plugin with two containers on a network.
struct Scene {
    lab: Lab,
    engine: Engine,
    before: BTreeSet<String>,
}

impl Scene {
    fn new() -> Self {
        let lab = lab();
        let before = objects(&lab);
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        for (endpoint, address) in [("e1", "10.1.1.2/24"), ("e2", "10.1.1.3/24")] {
            connect(&engine, "n1", endpoint, address);
        }
        Self {
            lab,
            engine,
            before,
        }
    }

    fn active(&self) -> usize {
        self.lab.settle();
        let ports = self.lab.status().ports;
        ports.iter().filter(|port| port.active).count()
    }

    /// Everything goes, and nothing is left.
    fn end(self) {
        for endpoint in ["e1", "e2"] {
            self.engine.leave("n1", endpoint);
            self.engine.delete_endpoint("n1", endpoint);
        }
        self.engine.delete_network("n1");
        assert_eq!(objects(&self.lab), self.before);
    }
}

/// A container's connection, with both ends up: otherwise no port of it is active.
fn connect(engine: &Engine, network: &str, endpoint: &str, address: &str) {
    engine.create_endpoint(network, endpoint, address).unwrap();
    join(engine, network, endpoint);
}

/// The second half of a connection.
fn join(engine: &Engine, network: &str, endpoint: &str) {
    let joined = engine.join(network, endpoint, endpoint).unwrap();
    let link = joined["InterfaceName"]["SrcName"].as_str().unwrap();
    let mut up = Command::new("ip");
    assert!(
        up.args(["link", "set", "dev", link, "up"])
            .status()
            .unwrap()
            .success()
    );
}

/// The agent comes back without what it knew.
pub fn forgetful_restart(lab: &Lab) {
    lab.stop_service(Restartable::Agent);
    for file in fs::read_dir(PORTS).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    lab.start_service(Restartable::Agent).unwrap();
    lab.settle();
}

fn ids<R: Resource>(client: &Client) -> BTreeSet<uuid::Uuid> {
    let all: Vec<R> = client.list(&ListQuery::all()).unwrap();
    all.iter().filter_map(|object| object.meta().uuid).collect()
}

/// The API loses every object of the containers; their ids.
fn lose_objects(client: &Client) -> [BTreeSet<uuid::Uuid>; 3] {
    let lost = [
        ids::<InstanceIp>(client),
        ids::<VirtualMachineInterface>(client),
        ids::<VirtualMachine>(client),
    ];
    for id in &lost[0] {
        assert!(client.delete::<InstanceIp>(*id).unwrap());
    }
    for id in &lost[1] {
        assert!(client.delete::<VirtualMachineInterface>(*id).unwrap());
    }
    for id in &lost[2] {
        assert!(client.delete::<VirtualMachine>(*id).unwrap());
    }
    lost
}

#[test]
fn an_agent_that_has_forgotten_gets_its_ports_again() {
    sandbox::test(|| {
        let scene = Scene::new();
        forgetful_restart(&scene.lab);
        assert_eq!(scene.active(), 0);
        scene.engine.tidy();
        assert_eq!(scene.active(), 2);
        scene.end();
    });
}

#[test]
fn while_all_is_well_the_agent_is_asked_once_for_each_container_and_nothing_is_written() {
    sandbox::test(|| {
        let scene = Scene::new();
        scene.lab.request_log().reset();
        scene.engine.tidy();
        let entries = scene.lab.request_log().entries();
        let of = |service| entries.iter().filter(move |entry| entry.service == service);
        assert!(
            entries.iter().all(|entry| entry.method == "GET"),
            "{entries:?}"
        );
        assert_eq!(of(ServiceName::Agent).count(), 2);
        assert_eq!(of(ServiceName::ConfigApi).count(), 0);
        scene.end();
    });
}

#[test]
fn a_port_that_somebody_has_altered_is_put_right() {
    sandbox::test(|| {
        let scene = Scene::new();
        let address = scene.lab.addresses().agent.to_string();
        let http = Http::new(&TlsSettings::default(), std::time::Duration::from_secs(5));
        let agent = Agent::new(Arc::new(http.unwrap()), address, PORTS.into());
        let id = scene.lab.status().ports[0].id;
        let right = agent.get(id).unwrap().unwrap();
        let altered = Port {
            id,
            instance_id: right.instance_id,
            vn_id: right.vn_id,
            project_id: right.project_id,
            display_name: "altered".into(),
            address: right.address,
            address6: None,
            mac: "02:00:00:00:00:99".parse().unwrap(),
            host_ifname: right.host_ifname.clone().unwrap(),
        };
        agent.add(&altered).unwrap();
        assert_ne!(agent.get(id).unwrap().unwrap().mac, right.mac);
        scene.engine.tidy();
        assert_eq!(agent.get(id).unwrap().unwrap().mac, right.mac);
        scene.end();
    });
}

#[test]
fn a_container_that_has_left_is_not_brought_back() {
    sandbox::test(|| {
        let scene = Scene::new();
        forgetful_restart(&scene.lab);
        scene.engine.leave("n1", "e1");
        scene.engine.tidy();
        assert_eq!(scene.active(), 1);
        scene.engine.delete_endpoint("n1", "e2");
        scene.engine.tidy();
        assert_eq!(scene.active(), 0);
        scene.end();
    });
}

#[test]
fn objects_that_the_api_has_lost_are_made_again_under_their_ids() {
    sandbox::test(|| {
        let scene = Scene::new();
        let client = client();
        let lost = lose_objects(&client);
        assert_eq!(scene.active(), 0);
        scene.engine.tidy();
        assert_eq!(scene.active(), 2);
        assert_eq!(ids::<InstanceIp>(&client), lost[0]);
        assert_eq!(ids::<VirtualMachineInterface>(&client), lost[1]);
        assert_eq!(ids::<VirtualMachine>(&client), lost[2]);
        scene.end();
    });
}

#[test]
fn a_network_that_the_api_has_lost_is_made_again_with_its_containers() {
    sandbox::test(|| {
        let scene = Scene::new();
        let client = client();
        lose_objects(&client);
        let name = "default-domain:admin:net1".parse().unwrap();
        let network: VirtualNetwork = client.lookup(&name).unwrap().unwrap();
        let old = network.meta.uuid.unwrap();
        assert!(client.delete::<VirtualNetwork>(old).unwrap());
        scene.engine.tidy();
        assert_eq!(scene.active(), 2);
        let network: VirtualNetwork = client.lookup(&name).unwrap().unwrap();
        assert_eq!(network.route_target_list.route_target, ["target:64512:1"]);
        scene.end();
    });
}

#[test]
fn an_address_that_somebody_else_has_got_meanwhile_stays_theirs() {
    sandbox::test(|| {
        let scene = Scene::new();
        let client = client();
        lose_objects(&client);
        let other = Engine::on("host2");
        other.create_network("n2", "net1", SUBNET).unwrap();
        connect(&other, "n2", "f1", "10.1.1.2/24");
        scene.engine.tidy();
        // The other one of this host's two is connected again.
        let addresses = |lab: &Lab| {
            let ports = lab.status().ports.into_iter().filter(|port| port.active);
            let mut all: Vec<String> = ports
                .flat_map(|port| port.addresses)
                .map(|address| address.to_string())
                .collect();
            all.sort();
            all
        };
        assert_eq!(addresses(&scene.lab), ["10.1.1.2", "10.1.1.3"]);
        other.leave("n2", "f1");
        other.delete_endpoint("n2", "f1");
        other.delete_network("n2");
        // Now there is room for both.
        scene.engine.tidy();
        assert_eq!(scene.active(), 2);
        scene.end();
    });
}

#[test]
fn with_a_dead_agent_one_question_is_enough() {
    sandbox::test(|| {
        let scene = Scene::new();
        scene.lab.request_log().reset();
        let refuse = opencontrail_tests::faults::status(503);
        let agent = ServiceName::Agent;
        scene.lab.faults().add(fault(agent, "", "", refuse));
        scene.engine.tidy();
        scene.lab.faults().clear();
        let entries = scene.lab.request_log().entries();
        let asked = entries.iter().filter(|entry| entry.service == agent);
        assert_eq!(asked.count(), 2, "an agent that answers is no dead one");
        scene.lab.stop_service(Restartable::Agent);
        let started = std::time::Instant::now();
        scene.engine.tidy();
        assert!(started.elapsed().as_secs() < 5);
        scene.lab.start_service(Restartable::Agent).unwrap();
        scene.engine.tidy();
        assert_eq!(scene.active(), 2);
        scene.end();
    });
}

#[test]
fn tidying_up_at_the_same_time_takes_nothing_away() {
    const CONTAINERS: usize = 100;
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        let made = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !made.load(Ordering::Relaxed) {
                        engine.tidy();
                    }
                });
            }
            for number in 0..CONTAINERS {
                let address = format!("10.1.1.{}/24", 2 + number);
                let endpoint = format!("e{number}");
                engine.create_endpoint("n1", &endpoint, &address).unwrap();
            }
            made.store(true, Ordering::Relaxed);
        });
        assert_eq!(ids::<VirtualMachineInterface>(&client()).len(), CONTAINERS);
        drop(lab);
    });
}

#[test]
fn an_endpoint_with_an_address_of_our_ipam_is_made_again_from_what_is_left() {
    sandbox::test(|| {
        let lab = lab();
        let before = objects(&lab);
        let engine = Engine::on("host1");
        let life = Life::of_both();
        let joined = 6;
        life.until(&engine, joined);
        // The API has the interface with its address, and not the machine.
        let client = client();
        for id in ids::<VirtualMachineInterface>(&client) {
            let interface: VirtualMachineInterface = client.get(id).unwrap();
            let machine = &interface.virtual_machine_refs[0];
            let to = (
                VirtualMachine::TYPE,
                machine.uuid.unwrap(),
                machine.name().unwrap(),
            );
            client
                .remove_ref((VirtualMachineInterface::TYPE, id), to)
                .unwrap();
            client
                .delete::<VirtualMachine>(machine.uuid.unwrap())
                .unwrap();
        }
        forgetful_restart(&lab);
        engine.tidy();
        assert_eq!(lab.status().ports.len(), 1);
        assert_eq!(ids::<VirtualMachine>(&client).len(), 1);
        life.until_from(&engine, joined, life.0.len());
        assert_eq!(objects(&lab), before);
    });
}

#[test]
fn an_endpoint_whose_state_was_lost_is_made_again_with_its_security_groups() {
    sandbox::test(|| {
        let lab = lab();
        let engine = Engine::on("host1");
        engine.create_network("n1", "net1", SUBNET).unwrap();
        let client = client();
        let name: FqName = "default-domain:admin:web".parse().unwrap();
        let group = SecurityGroup::new(name.clone(), Default::default());
        client.create(&group).unwrap();
        let endpoint = json!({
            "NetworkID": "n1",
            "EndpointID": "e1",
            "Interface": {"Address": "10.1.1.2/24"},
            "Options": {"security-group": "web"},
        });
        engine.send("CreateEndpoint", endpoint).unwrap();
        let engine = Engine::without_state("host1");
        join(&engine, "n1", "e1");
        lose_objects(&client);
        engine.tidy();
        let ports: Vec<VirtualMachineInterface> = client.list(&ListQuery::all().detail()).unwrap();
        assert!(ports[0].security_group_refs[0].is_to(&name));
        engine.leave("n1", "e1");
        engine.delete_endpoint("n1", "e1");
        engine.delete_network("n1");
        drop(lab);
    });
}
