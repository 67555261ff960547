//! Networks, containers and a data plane between them, in a sandbox.

use std::collections::BTreeSet;
use std::net::{IpAddr, UdpSocket};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use contrail_core::MacAddr;
use contrail_core::kernel::{Dataplane, InterfaceConfig, Kernel, Route, VethSpec};
use contrail_core::values::identity::host_ifname;
use contrail_lab::agent::{body, ports::Subscription};
use contrail_lab::dataplane::{DataPlane, Inputs, Mode, Notifier, PlaneOptions};
use contrail_lab::ping::ping;
use contrail_lab::sandbox::TestNetns;
use contrail_lab::view::{
    ChainView, ConfigView, InterfaceView, MachineView, NameOrAny, NetworkView, SubnetView,
};
use ipnetwork::IpNetwork;
use serde_json::json;
use uuid::Uuid;

/// What the data plane reads.
#[derive(Default)]
pub struct Facts {
    pub subscriptions: Vec<Subscription>,
    pub view: ConfigView,
    pub built: Built,
}

/// What the controller has built of the chains that the rules of the view ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Built {
    /// All that they ask for.
    #[default]
    Whole,
    /// The way there, without the way back.
    WayThere,
    /// Nothing.
    Nothing,
}

impl Facts {
    fn view(&self) -> ConfigView {
        let mut view = self.view.clone();
        let networks = view.networks.iter();
        let named = |name: &NameOrAny| match name {
            NameOrAny::Name(name) => networks
                .clone()
                .find(|n| n.fq_name == *name)
                .map(|n| n.uuid),
            _ => None,
        };
        let rules = networks.clone().flat_map(|network| &network.rules);
        let chains = rules.filter_map(|rule| {
            let (left, right) = (named(&rule.source)?, named(&rule.destination)?);
            Some(ChainView {
                rules: BTreeSet::from([rule.id.clone()]),
                left,
                right,
                leads_back: rule.both_ways && self.built == Built::Whole,
            })
        });
        view.chains = match self.built {
            Built::Nothing => Vec::new(),
            _ => chains.collect(),
        };
        view
    }
}

/// A data plane and what it reads.
pub struct World {
    pub facts: Arc<Mutex<Facts>>,
    pub plane: Option<DataPlane>,
    notifier: Notifier,
}

/// An interface of a container; a container with more than one is several of these.
pub struct Container {
    /// The id of its interface.
    pub id: Uuid,
    /// The id of its machine.
    pub machine: Uuid,
    pub netns: Rc<TestNetns>,
    pub addresses: Vec<IpNetwork>,
    pub gateway: IpAddr,
    ifname: &'static str,
}

impl World {
    pub fn new() -> Self {
        Self::named("lab", None)
    }

    pub fn named(lab: &str, nft: Option<PathBuf>) -> Self {
        let facts = Arc::new(Mutex::new(Facts::default()));
        let (first, second) = (Arc::clone(&facts), Arc::clone(&facts));
        let options = PlaneOptions {
            lab: lab.into(),
            mode: Mode::On,
            nft,
        };
        let inputs = Inputs {
            subscriptions: Box::new(move || first.lock().unwrap().subscriptions.clone()),
            view: Box::new(move || Arc::new(second.lock().unwrap().view())),
        };
        let plane = DataPlane::start(options, inputs).unwrap();
        let notifier = plane.notifier().clone();
        Self {
            facts,
            plane: Some(plane),
            notifier,
        }
    }

    /// A network with these prefixes; gateway and DNS server are the first two addresses of each.
    pub fn network(&self, name: &str, prefixes: &[&str]) -> Uuid {
        let uuid = Uuid::new_v4();
        let subnets = prefixes.iter().map(|text| {
            let prefix: IpNetwork = text.parse().unwrap();
            SubnetView {
                prefix,
                gateway: Some(nth(prefix, 1)),
                dns: Some(nth(prefix, 2)),
            }
        });
        self.facts.lock().unwrap().view.networks.push(NetworkView {
            uuid,
            fq_name: format!("default-domain:admin:{name}").parse().unwrap(),
            subnets: subnets.collect(),
            rules: Vec::new(),
        });
        uuid
    }

    /// A container, attached to a network with the `host`-th address of each of its prefixes.
    pub fn attach(&self, name: &str, network: Uuid, host: u32) -> Container {
        let container = self.container(name, network, host);
        container.plug();
        self.configure(&container, network);
        self.subscribe(&container);
        self.notifier.settle();
        container
    }

    /// One more interface of a container, attached to another network. The default route stays.
    pub fn leg(
        &self,
        other: &Container,
        ifname: &'static str,
        network: Uuid,
        host: u32,
    ) -> Container {
        let (addresses, gateway) = self.addresses(network, host);
        let leg = other.leg(ifname, addresses, gateway);
        self.configure(&leg, network);
        self.subscribe(&leg);
        self.notifier.settle();
        leg
    }

    /// A container that nobody knows of yet and that has no interface.
    pub fn container(&self, name: &str, network: Uuid, host: u32) -> Container {
        let (addresses, gateway) = self.addresses(network, host);
        Container::new(name, addresses, gateway)
    }

    fn addresses(&self, network: Uuid, host: u32) -> (Vec<IpNetwork>, IpAddr) {
        let facts = self.facts.lock().unwrap();
        let mut networks = facts.view.networks.iter();
        let network = networks.find(|n| n.uuid == network).unwrap();
        let address = |subnet: &SubnetView| {
            IpNetwork::new(nth(subnet.prefix, host), subnet.prefix.prefix()).unwrap()
        };
        let addresses = network.subnets.iter().map(address).collect();
        (addresses, network.subnets[0].gateway.unwrap())
    }

    /// Puts the container's interface into the configuration.
    pub fn configure(&self, container: &Container, network: Uuid) {
        let view = &mut self.facts.lock().unwrap().view;
        view.machines.push(MachineView {
            uuid: container.machine,
            name: container.machine.to_string(),
            display_name: String::new(),
            on_router: false,
        });
        view.interfaces.push(InterfaceView {
            uuid: container.id,
            fq_name: "default-domain:admin:port".parse().unwrap(),
            display_name: String::new(),
            network: Some(network),
            machine: Some(container.machine),
            mac: None,
            addresses: container.addresses.iter().map(|a| a.ip()).collect(),
            annotations: Vec::new(),
        });
    }

    /// Registers the container's port with the agent.
    pub fn subscribe(&self, container: &Container) {
        let body = container.port();
        let port = body::port(body.as_object().unwrap()).unwrap();
        self.facts.lock().unwrap().subscriptions.push(port);
    }

    /// Removes the container's port from the agent.
    pub fn unsubscribe(&self, container: &Container) {
        let subscriptions = &mut self.facts.lock().unwrap().subscriptions;
        subscriptions.retain(|port| port.id != container.id);
    }

    pub fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// The state of a container's port as text.
    pub fn state(&self, container: &Container) -> String {
        let snapshot = self.notifier.snapshot();
        let mut ports = snapshot.model.ports.iter();
        ports
            .find(|p| p.id == container.id)
            .unwrap()
            .state
            .to_string()
    }

    pub fn stop(mut self) {
        self.plane.take().unwrap().stop().unwrap();
    }
}

impl Container {
    /// A namespace without an interface.
    pub fn new(name: &str, addresses: Vec<IpNetwork>, gateway: IpAddr) -> Self {
        Self {
            id: Uuid::new_v4(),
            machine: Uuid::new_v4(),
            netns: Rc::new(TestNetns::new(name).unwrap()),
            addresses,
            gateway,
            ifname: "eth0",
        }
    }

    /// One more interface in its namespace. The default route stays.
    pub fn leg(&self, ifname: &'static str, addresses: Vec<IpNetwork>, gateway: IpAddr) -> Self {
        let leg = Self {
            id: Uuid::new_v4(),
            machine: self.machine,
            netns: Rc::clone(&self.netns),
            addresses,
            gateway,
            ifname,
        };
        leg.plug_with(Vec::new());
        leg
    }

    /// What a client registers with the agent for it.
    pub fn port(&self) -> serde_json::Value {
        json!({
            "id": self.id, "instance-id": self.machine, "vn-id": Uuid::new_v4(),
            "vm-project-id": "", "display-name": "", "ip-address": "0.0.0.0", "ip6-address": "",
            "mac-address": self.mac().to_string(), "system-name": self.tap(),
            "type": 0, "rx-vlan-id": -1, "tx-vlan-id": -1
        })
    }

    pub fn mac(&self) -> MacAddr {
        MacAddr::of_interface(self.id)
    }

    pub fn tap(&self) -> String {
        host_ifname(self.id)
    }

    pub fn ifname(&self) -> &str {
        self.ifname
    }

    /// Makes the container's interface, with a default route of each family.
    pub fn plug(&self) {
        let prefixes = self
            .addresses
            .iter()
            .map(|a| IpNetwork::new(a.network(), a.prefix()));
        let gateways = prefixes.map(|prefix| nth(prefix.unwrap(), 1));
        self.plug_with(gateways.map(Route::default_via).collect());
    }

    fn plug_with(&self, routes: Vec<Route>) {
        let spec = VethSpec {
            host: self.tap(),
            container: self.ifname.into(),
            mac: self.mac(),
            mtu: None,
            alias: self.id.to_string(),
        };
        Kernel::new()
            .create_veth(&spec, Some(self.netns.netns()))
            .unwrap();
        let config = InterfaceConfig {
            addresses: self.addresses.clone(),
            routes,
            forwarding: false,
        };
        Kernel::new()
            .configure(self.netns.netns(), self.ifname, &config)
            .unwrap();
    }

    /// Its address in its network's first or a later prefix.
    pub fn address(&self, prefix: usize) -> IpAddr {
        self.addresses[prefix].ip()
    }

    /// The TTL of the answer to a ping; `None` when there is none. Tries again: when a container
    /// asked for an address before it could be reached, its own resolution has to fail first.
    pub fn ping(&self, target: IpAddr) -> Option<u8> {
        (0..4).find_map(|_| self.first_ping(target))
    }

    /// The TTL of the answer to one ping within a second.
    pub fn first_ping(&self, target: IpAddr) -> Option<u8> {
        let replies = ping(self.netns.netns(), target, 1, Duration::from_secs(1)).unwrap();
        replies[0].map(|reply| reply.ttl)
    }

    /// Whether a ping is not answered within a second.
    pub fn cannot_reach(&self, target: IpAddr) -> bool {
        self.first_ping(target).is_none()
    }

    /// A UDP socket inside.
    pub fn udp(&self, address: IpAddr, port: u16) -> UdpSocket {
        let socket = self.netns.netns().run(|| UdpSocket::bind((address, port)));
        let socket = socket.unwrap().unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(1)))
            .unwrap();
        socket
    }

    /// Runs a program inside; its output.
    pub fn run(&self, program: &str, arguments: &[&str]) -> String {
        run_output(self.netns.output(program, arguments).unwrap(), program)
    }
}

/// Runs a program in the sandbox; its output.
pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = std::process::Command::new(program).args(arguments).output();
    run_output(output.unwrap(), program)
}

fn run_output(output: std::process::Output, program: &str) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Waits until something is so.
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 20 s: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn nth(prefix: IpNetwork, host: u32) -> IpAddr {
    match prefix {
        IpNetwork::V4(net) => net.nth(host).unwrap().into(),
        IpNetwork::V6(net) => net.nth(host.into()).unwrap().into(),
    }
}
