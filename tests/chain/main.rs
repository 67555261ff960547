//! A service chain from its description to packets: the library, the CNI plugin, the lab.

#![allow(clippy::unwrap_used)] // all of it is a test

mod built;
mod command;
mod forgotten;
mod leaving;
mod member;
mod mending;
mod orphans;
mod restarts;
mod upkeep;

use std::net::IpAddr;
use std::time::Duration;

use contrail_core::service_chain::{Description, ServiceChains};
use contrail_lab::http::ServiceName;
use contrail_lab::lab::Lab;
use contrail_lab::ping::ping;
use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::{client, everything, lab, network};
use serde_json::{Value, json};

const DOCUMENT: &str = include_str!("../../examples/service-chain/10-opencontrail-multi.conf");

/// A namespace with the addresses that it got.
struct Member {
    netns: TestNetns,
    addresses: Vec<IpAddr>,
}

fn attach(name: &str, configuration: &Value) -> Member {
    let netns = TestNetns::new(name).unwrap();
    let path = netns.path().display().to_string();
    let added = Call::new("ADD", name, &path, configuration).run().ok();
    let address = |text: String| text.split('/').next().unwrap().parse().unwrap();
    let addresses = added.addresses().into_iter().map(address).collect();
    Member { netns, addresses }
}

impl Member {
    fn ttl(&self, to: &Member) -> Option<u8> {
        let patience = Duration::from_millis(500);
        let replies = ping(self.netns.netns(), to.addresses[0], 2, patience).unwrap();
        replies.into_iter().flatten().map(|reply| reply.ttl).next()
    }
}

/// The walk-through's members, all of them namespaces: two ends and two service instances.
struct Scene {
    lab: Lab,
    chains: ServiceChains,
    alp1: Member,
    alp2: Member,
    services: Vec<Member>,
}

impl Scene {
    fn new() -> Self {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let scene = Self::with(&["si1", "si2"], &document);
        for service in &scene.services {
            let forward = service
                .netns
                .output("sysctl", &["-qw", "net.ipv4.ip_forward=1"]);
            assert!(forward.unwrap().status.success());
        }
        scene
    }

    /// Two ends and these services, all of the same document.
    fn with(services: &[&str], document: &Value) -> Self {
        let lab = lab();
        let services = services.iter().map(|name| attach(name, document));
        Self {
            services: services.collect(),
            alp1: attach("alp1", &network("net1", "10.1.1.0/24")),
            alp2: attach("alp2", &network("net2", "10.1.2.0/24")),
            chains: ServiceChains::new(client(), "default-domain:admin".parse().unwrap()),
            lab,
        }
    }

    fn writes(&self) -> usize {
        let entries = self.lab.request_log().entries();
        let is_write = |method: &str, path: &str| {
            method != "GET" && path != "/fqname-to-id" && path != "/list-bulk-collection"
        };
        let own = entries
            .iter()
            .filter(|entry| entry.service == ServiceName::ConfigApi);
        own.filter(|entry| is_write(&entry.method, &entry.path))
            .count()
    }
}

fn description(services: &[&str]) -> Description {
    let services: Vec<Value> = services
        .iter()
        .map(|name| json!({"name": name, "members": [name]}))
        .collect();
    let text = json!({"name": "sc", "left": "net1", "right": "net2", "services": services});
    Description::read(&text.to_string(), "chain.json").unwrap()
}

#[test]
fn a_description_becomes_packets_through_two_services_and_its_end_closes_the_way() {
    sandbox::test(|| {
        let scene = Scene::new();
        let namespaces: Vec<_> = scene.services.iter().map(|s| s.netns.netns()).collect();
        let before = everything(&scene.lab, &namespaces);
        let chain = description(&["si1", "si2"]);
        assert_eq!(scene.alp1.ttl(&scene.alp2), None);

        scene.chains.apply(&chain).unwrap();
        scene.lab.settle();
        assert_eq!(scene.alp1.ttl(&scene.alp2), Some(61));
        assert_eq!(scene.alp2.ttl(&scene.alp1), Some(61));

        // The second time there is nothing to do.
        scene.lab.request_log().reset();
        assert!(scene.chains.apply(&chain).unwrap().changes.is_empty());
        assert_eq!(scene.writes(), 0);

        scene.chains.delete(&chain).unwrap();
        scene.lab.settle();
        assert_eq!(scene.alp1.ttl(&scene.alp2), None);
        assert_eq!(everything(&scene.lab, &namespaces), before);
        scene.lab.request_log().reset();
        scene.chains.delete(&chain).unwrap();
        assert_eq!(scene.writes(), 0);
    });
}

#[test]
fn what_stands_against_a_chain_is_named_and_nothing_is_written() {
    sandbox::test(|| {
        let scene = Scene::new();
        scene.lab.request_log().reset();
        for (services, named) in [(&["si1", "absent"][..], "absent"), (&["alp1"], "alp1")] {
            let error = scene.chains.apply(&description(services)).unwrap_err();
            let text = contrail_core::error::report(&error);
            assert!(text.contains(named), "{text}");
        }
        assert_eq!(scene.writes(), 0);
    });
}
