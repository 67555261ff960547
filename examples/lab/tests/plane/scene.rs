//! Two networks with a container each, and service instances between them.

use std::collections::BTreeMap;
use std::rc::Rc;

use contrail_core::FqName;
use contrail_lab::dataplane::trace::End;
use contrail_lab::trace::{Question, Trace};
use contrail_lab::view::{NameOrAny, PolicyRule, ServiceInstanceView};
use uuid::Uuid;

use crate::world::{Built, Container, World};

const NET1: [&str; 2] = ["10.1.1.0/24", "fd00:1::/64"];
const NET2: [&str; 2] = ["10.1.2.0/24", "fd00:2::/64"];

/// net1 with alp1, net2 with alp2.
pub struct Scene {
    world: Rc<World>,
    /// What all names of this scene begin with.
    prefix: &'static str,
    net1: Uuid,
    net2: Uuid,
    pub alp1: Container,
    pub alp2: Container,
}

/// A namespace with a leg in each network that forwards.
pub struct Service {
    pub left: Container,
    pub right: Container,
}

impl Scene {
    pub fn new() -> Self {
        Self::within(Rc::new(World::new()), "")
    }

    /// One more with other names and the same addresses.
    pub fn same_addresses(&self, prefix: &'static str) -> Self {
        Self::within(Rc::clone(&self.world), prefix)
    }

    fn within(world: Rc<World>, prefix: &'static str) -> Self {
        let named = |name: &str| format!("{prefix}{name}");
        let net1 = world.network(&named("net1"), &NET1);
        let net2 = world.network(&named("net2"), &NET2);
        let alp1 = world.attach(&named("alp1"), net1, 3);
        let alp2 = world.attach(&named("alp2"), net2, 3);
        Self {
            world,
            prefix,
            net1,
            net2,
            alp1,
            alp2,
        }
    }

    pub fn world(&self) -> &World {
        &self.world
    }

    /// Ends the world; the last scene of it can.
    pub fn stop(self) {
        Rc::into_inner(self.world).unwrap().stop();
    }

    fn name(&self, last: &str) -> FqName {
        format!("default-domain:admin:{}{last}", self.prefix)
            .parse()
            .unwrap()
    }

    /// A rule between net1 and net2 for all packets, through these service instances.
    pub fn rule(&self, services: &[&str]) -> PolicyRule {
        PolicyRule {
            id: Uuid::new_v4().to_string(),
            policy: self.name("policy"),
            source: NameOrAny::Name(self.name("net1")),
            destination: NameOrAny::Name(self.name("net2")),
            both_ways: true,
            protocol: "any".into(),
            source_ports: Vec::new(),
            destination_ports: Vec::new(),
            pass: true,
            services: services.iter().map(|service| self.name(service)).collect(),
        }
    }

    /// Such a rule for packets to one port.
    pub fn port_rule(&self, protocol: &str, port: u16, services: &[&str]) -> PolicyRule {
        PolicyRule {
            protocol: protocol.into(),
            destination_ports: vec![port..=port],
            ..self.rule(services)
        }
    }

    /// A router between the networks.
    pub fn service(&self, service: &str, host: u32) -> Service {
        let router = self.legs(service, host);
        router.forward();
        self.declare(service, "in-network", &router);
        router
    }

    /// A wire between the networks: a bridge.
    pub fn wire(&self, service: &str, host: u32) -> Service {
        let wire = self.legs(service, host);
        wire.left
            .run("ip", &["link", "add", "br0", "type", "bridge"]);
        for leg in ["eth0", "eth1"] {
            wire.left.run("ip", &["addr", "flush", "dev", leg]);
            wire.left.run(
                "ip",
                &["link", "set", leg, "master", "br0", "promisc", "on"],
            );
        }
        wire.left.run("ip", &["link", "set", "br0", "up"]);
        self.declare(service, "transparent", &wire);
        wire
    }

    /// A router that hides the left side behind its right address.
    pub fn nat(&self, service: &str, host: u32) -> Service {
        let router = self.legs(service, host);
        router.forward();
        let rules = "table inet nat { chain out { type nat hook postrouting priority 100; \
                     oifname eth1 masquerade; }; }";
        router.left.run("nft", &[rules]);
        self.declare(service, "in-network-nat", &router);
        router
    }

    fn legs(&self, service: &str, host: u32) -> Service {
        let namespace = format!("{}{service}", self.prefix);
        let left = self.world.attach(&namespace, self.net1, host);
        let right = self.world.leg(&left, "eth1", self.net2, host);
        Service { left, right }
    }

    fn declare(&self, service: &str, mode: &str, legs: &Service) {
        let tuple = [("left", &legs.left), ("right", &legs.right)];
        let tuple = tuple.map(|(role, leg)| (role.to_owned(), leg.id));
        let name = self.name(service);
        self.world
            .facts
            .lock()
            .unwrap()
            .view
            .service_instances
            .push(ServiceInstanceView {
                fq_name: name,
                mode: mode.into(),
                port_tuples: vec![BTreeMap::from(tuple)],
            });
        self.world.notifier().settle();
    }

    /// Attaches these rules to both networks, in the place of all others.
    pub fn rules(&self, rules: &[PolicyRule]) {
        let own = [self.net1, self.net2];
        for network in &mut self.world.facts.lock().unwrap().view.networks {
            if own.contains(&network.uuid) {
                network.rules = rules.to_vec();
            }
        }
        self.world.notifier().settle();
    }

    /// What the controller has built of the chains from now on.
    pub fn built(&self, built: Built) {
        self.world.facts.lock().unwrap().built = built;
        self.world.notifier().settle();
    }

    /// Attaches these rules to net1 alone.
    pub fn rules_on_one_side(&self, rules: &[PolicyRule]) {
        let view = &mut self.world.facts.lock().unwrap().view;
        let mut networks = view.networks.iter_mut();
        networks.find(|n| n.uuid == self.net1).unwrap().rules = rules.to_vec();
    }

    /// The TTLs with which alp1 and alp2 see each other's answers, in IPv4 and IPv6.
    pub fn ttls(&self) -> [Option<u8>; 4] {
        [
            self.alp1.ping(self.alp2.address(0)),
            self.alp2.ping(self.alp1.address(0)),
            self.alp1.ping(self.alp2.address(1)),
            self.alp2.ping(self.alp1.address(1)),
        ]
    }

    pub fn is_closed(&self) -> bool {
        self.alp1.cannot_reach(self.alp2.address(0)) && self.alp2.cannot_reach(self.alp1.address(0))
    }

    /// What the lab says of the way of a packet from a container.
    pub fn trace(&self, from: &Container, question: &Question) -> Trace {
        let question = Question {
            source: from.tap(),
            ..question.clone()
        };
        question.answer(&self.world.notifier().snapshot()).unwrap()
    }

    /// Why a ping from alp1 to this address is dropped.
    pub fn reason(&self, destination: &str) -> String {
        match self.trace(&self.alp1, &ping_to(destination)).end {
            End::Dropped(reason) => reason,
            end => panic!("{end:?}"),
        }
    }
}

/// The question for the way of a ping.
pub fn ping_to(destination: &str) -> Question {
    Question {
        source: String::new(),
        destination: destination.into(),
        protocol: "icmp".parse().unwrap(),
        source_port: 0,
        destination_port: 0,
    }
}

impl Service {
    fn forward(&self) {
        for forward in ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"] {
            self.left.run("sysctl", &["-qw", forward]);
        }
    }

    /// How many packets its legs have received and sent.
    pub fn packets(&self) -> u64 {
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
