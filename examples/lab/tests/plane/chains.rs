//! What policies open between networks, and the service instances that packets pass through.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use contrail_core::FqName;
use contrail_lab::sandbox;
use contrail_lab::view::{NameOrAny, PolicyRule, ServiceInstanceView};
use uuid::Uuid;

use crate::world::{Container, World, wait_for};

const NET1: [&str; 2] = ["10.1.1.0/24", "fd00:1::/64"];
const NET2: [&str; 2] = ["10.1.2.0/24", "fd00:2::/64"];

fn name(last: &str) -> FqName {
    format!("default-domain:admin:{last}").parse().unwrap()
}

/// A rule between net1 and net2 for all packets, through these service instances.
fn rule(services: &[&str]) -> PolicyRule {
    PolicyRule {
        id: Uuid::new_v4().to_string(),
        policy: name("policy"),
        source: NameOrAny::Name(name("net1")),
        destination: NameOrAny::Name(name("net2")),
        both_ways: true,
        protocol: "any".into(),
        source_ports: None,
        destination_ports: None,
        pass: true,
        services: services.iter().map(|service| name(service)).collect(),
    }
}

/// net1 with alp1, net2 with alp2.
struct Scene {
    world: World,
    net1: Uuid,
    net2: Uuid,
    alp1: Container,
    alp2: Container,
}

/// A namespace with a leg in each network that forwards.
struct Service {
    left: Container,
    right: Container,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let net1 = world.network("net1", &NET1);
        let net2 = world.network("net2", &NET2);
        let alp1 = world.attach("alp1", net1, 3);
        let alp2 = world.attach("alp2", net2, 3);
        Self {
            world,
            net1,
            net2,
            alp1,
            alp2,
        }
    }

    fn service(&self, service: &str, host: u32) -> Service {
        let left = self.world.attach(service, self.net1, host);
        let right = self.world.leg(&left, "eth1", self.net2, host);
        for forward in ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"] {
            left.run("sysctl", &["-qw", forward]);
        }
        self.declare(service, &[("left", left.id), ("right", right.id)]);
        Service { left, right }
    }

    fn declare(&self, service: &str, legs: &[(&str, Uuid)]) {
        let tuple: BTreeMap<String, Uuid> = legs
            .iter()
            .map(|(role, id)| ((*role).to_owned(), *id))
            .collect();
        let view = &mut self.world.facts.lock().unwrap().view;
        view.service_instances
            .retain(|instance| instance.fq_name != name(service));
        view.service_instances.push(ServiceInstanceView {
            fq_name: name(service),
            mode: "in-network".into(),
            port_tuples: vec![tuple],
        });
    }

    /// Attaches these rules to both networks, in the place of all others.
    fn rules(&self, rules: &[PolicyRule]) {
        for network in &mut self.world.facts.lock().unwrap().view.networks {
            network.rules = rules.to_vec();
        }
        self.world.notifier().settle();
    }

    /// The TTLs with which alp1 and alp2 see each other's answers, in IPv4 and IPv6.
    fn ttls(&self) -> [Option<u8>; 4] {
        [
            self.alp1.ping(self.alp2.address(0)),
            self.alp2.ping(self.alp1.address(0)),
            self.alp1.ping(self.alp2.address(1)),
            self.alp2.ping(self.alp1.address(1)),
        ]
    }

    fn is_closed(&self) -> bool {
        self.alp1.cannot_reach(self.alp2.address(0)) && self.alp2.cannot_reach(self.alp1.address(0))
    }
}

#[test]
fn a_policy_opens_two_networks_to_each_other_and_its_end_closes_them() {
    sandbox::test(|| {
        let scene = Scene::new();
        assert!(scene.is_closed());
        scene.rules(&[rule(&[])]);
        assert_eq!(scene.ttls(), [Some(63); 4]);
        scene.rules(&[]);
        assert!(scene.is_closed());
        scene.world.stop();
    });
}

#[test]
fn a_policy_on_one_side_only_opens_nothing() {
    sandbox::test(|| {
        let scene = Scene::new();
        scene.world.facts.lock().unwrap().view.networks[0].rules = vec![rule(&[])];
        scene.world.notifier().settle();
        assert!(scene.is_closed());
        scene.world.stop();
    });
}

#[test]
fn each_service_instance_costs_one_hop_in_both_directions() {
    sandbox::test(|| {
        let scene = Scene::new();
        let names = ["si1", "si2", "si3", "si4"];
        let services: Vec<Service> = (10..)
            .zip(names)
            .map(|(host, name)| scene.service(name, host))
            .collect();
        for length in 1..=4 {
            scene.rules(&[rule(&names[..length])]);
            // Exactly the packets of four pings, there and back, on each leg of the chain.
            let before: Vec<u64> = services.iter().map(Service::packets).collect();
            assert_eq!(scene.ttls(), [Some(63 - length as u8); 4], "{length}");
            let after: Vec<u64> = services.iter().map(Service::packets).collect();
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                assert_eq!(index < length, after - before >= 16, "{index} of {length}");
            }
        }
        scene.world.stop();
    });
}

impl Service {
    /// How many packets its legs have received and sent.
    fn packets(&self) -> u64 {
        [&self.left, &self.right]
            .iter()
            .map(|leg| {
                let statistics = leg.run("cat", &["/proc/net/dev"]);
                let line = statistics
                    .lines()
                    .find(|l| l.trim().starts_with(leg.ifname()))
                    .unwrap();
                let numbers: Vec<u64> = line
                    .split_whitespace()
                    .skip(1)
                    .map(|n| n.parse().unwrap())
                    .collect();
                numbers[1] + numbers[9]
            })
            .sum()
    }
}

#[test]
fn a_chain_opens_when_its_last_leg_comes_and_closes_when_one_goes() {
    sandbox::test(|| {
        let scene = Scene::new();
        scene.rules(&[rule(&["si1", "si2"])]);
        assert!(scene.is_closed());
        let first = scene.service("si1", 10);
        assert!(scene.is_closed());
        let second = scene.service("si2", 11);
        scene.world.notifier().settle();
        assert_eq!(scene.ttls(), [Some(61); 4]);

        for leg in [&first.left, &second.left, &first.right, &second.right] {
            scene.world.unsubscribe(leg);
            scene.world.notifier().settle();
            // Not past the other one, either.
            assert!(scene.is_closed());
            scene.world.subscribe(leg);
            scene.world.notifier().settle();
            assert_eq!(scene.ttls(), [Some(61); 4]);
        }
        scene.world.stop();
    });
}

#[test]
fn a_link_that_goes_down_closes_the_chain_at_once() {
    sandbox::test(|| {
        let scene = Scene::new();
        let first = scene.service("si1", 10);
        let _second = scene.service("si2", 11);
        scene.rules(&[rule(&["si1", "si2"])]);
        assert_eq!(scene.ttls(), [Some(61); 4]);
        first.right.run("ip", &["link", "set", "eth1", "down"]);
        assert!(scene.is_closed());
        first.right.run("ip", &["link", "set", "eth1", "up"]);
        wait_for("the chain is up again", || {
            scene.alp1.first_ping(scene.alp2.address(0)) == Some(61)
        });
        scene.world.stop();
    });
}

/// Whether alp1 gets an answer from a TCP port of alp2.
fn connects(from: &Container, to: IpAddr, port: u16) -> bool {
    let address = SocketAddr::new(to, port);
    let patience = Duration::from_millis(500);
    let stream = from
        .netns
        .netns()
        .run(|| TcpStream::connect_timeout(&address, patience));
    let Ok(mut stream) = stream.unwrap() else {
        return false;
    };
    let mut answer = [0; 2];
    stream.set_read_timeout(Some(patience)).unwrap();
    stream.read_exact(&mut answer).is_ok() && &answer == b"hi"
}

fn serve(container: &Container, address: IpAddr, port: u16) {
    let listener = container
        .netns
        .netns()
        .run(|| TcpListener::bind((address, port)));
    let listener = listener.unwrap().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // Whoever connected may have gone away.
            let _ = stream.unwrap().write_all(b"hi");
        }
    });
}

#[test]
fn rules_with_ports_steer_only_their_own_packets() {
    sandbox::test(|| {
        let scene = Scene::new();
        let service = scene.service("si1", 10);
        let target = scene.alp2.address(0);
        for port in [80, 81, 82] {
            serve(&scene.alp2, target, port);
        }
        let web = |port: u16, services: &[&str]| PolicyRule {
            protocol: "tcp".into(),
            destination_ports: Some(port..=port),
            ..rule(services)
        };
        let deny = PolicyRule {
            pass: false,
            ..web(82, &[])
        };
        scene.rules(&[web(80, &["si1"]), deny, rule(&[])]);
        let through = |port: u16| {
            let before = service.packets();
            let connected = connects(&scene.alp1, target, port);
            (connected, service.packets() - before >= 8)
        };
        assert_eq!(through(80), (true, true));
        assert_eq!(through(81), (true, false));
        assert_eq!(through(82), (false, false));
        assert_eq!(scene.alp1.ping(target), Some(63));

        // Without its service instance port 80 is closed, not open.
        scene.world.unsubscribe(&service.right);
        scene.world.notifier().settle();
        assert!(!through(80).0);
        assert!(through(81).0);
        scene.world.stop();
    });
}

#[test]
fn a_rule_in_one_direction_lets_only_answers_back() {
    sandbox::test(|| {
        let scene = Scene::new();
        let _service = scene.service("si1", 10);
        scene.rules(&[PolicyRule {
            both_ways: false,
            ..rule(&["si1"])
        }]);
        assert_eq!(scene.alp1.ping(scene.alp2.address(0)), Some(62));
        assert!(scene.alp2.cannot_reach(scene.alp1.address(0)));
        scene.world.stop();
    });
}

#[test]
fn a_running_flow_follows_a_changed_policy() {
    sandbox::test(|| {
        let scene = Scene::new();
        scene.rules(&[rule(&[])]);
        let (from, to) = (scene.alp1.address(0), scene.alp2.address(0));
        let (sender, receiver) = (scene.alp1.udp(from, 1000), scene.alp2.udp(to, 2000));
        let arrives = || {
            sender.send_to(b"x", (to, 2000)).unwrap();
            receiver.recv_from(&mut [0; 8]).is_ok()
        };
        assert!(arrives());
        let deny = PolicyRule {
            protocol: "udp".into(),
            pass: false,
            ..rule(&[])
        };
        scene.rules(&[deny, rule(&[])]);
        assert!(!arrives());
        scene.rules(&[rule(&[])]);
        assert!(arrives());
        scene.world.stop();
    });
}

#[test]
fn a_service_instance_itself_is_an_ordinary_member_of_its_networks() {
    sandbox::test(|| {
        let scene = Scene::new();
        let service = scene.service("si1", 10);
        scene.rules(&[rule(&["si1"])]);
        assert_eq!(service.left.ping(scene.alp1.address(0)), Some(64));
        assert_eq!(service.left.ping(scene.alp2.address(0)), Some(64));
        assert_eq!(scene.alp1.ping(service.left.address(0)), Some(64));
        scene.world.stop();
    });
}
