//! Network namespaces in the place of Docker containers: the same calls of the plugin's socket, and what
//! Docker then does itself.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use contrail_core::kernel::{Dataplane, InterfaceConfig, Kernel, Route};
use contrail_core::values::identity;
use contrail_lab::plugin_socket;
use contrail_lab::sandbox::TestNetns;
use ipnetwork::{IpNetwork, Ipv4Network};
use serde_json::{Value, json};

use crate::containers::{Containers, Network};
use crate::failure::{Failure, expect};
use crate::member::Member;
use crate::programs::{NODE, SOCKET, check};
use crate::report::step;

/// What Docker would remember.
#[derive(Default)]
pub struct StandIn {
    networks: BTreeMap<&'static str, Pool>,
    sandboxes: BTreeMap<&'static str, Sandbox>,
    /// How many sandboxes there have been: a container that starts again gets a new one.
    started: usize,
}

/// A subnet of which the first address is given that is free.
struct Pool {
    subnet: Ipv4Network,
    given: BTreeSet<Ipv4Addr>,
}

/// A namespace with its endpoints.
struct Sandbox {
    netns: TestNetns,
    endpoints: Vec<Endpoint>,
}

/// A connection to a network.
struct Endpoint {
    network: String,
    id: String,
    address: Ipv4Addr,
}

impl StandIn {
    /// CreateEndpoint and Join; then the interface is moved, named and configured, as Docker does it.
    fn connect(&mut self, sandbox: &mut Sandbox, network: &str) -> Result<(), Failure> {
        let pool = self.networks.get_mut(network);
        let pool = pool.ok_or_else(|| Failure::missing("Docker's stand-in", "network", network))?;
        let (address, gateway) = pool.next()?;
        let path = sandbox.netns.path().to_owned();
        let ifname = format!("eth{}", sandbox.endpoints.len());
        let id = format!("{}-{network}", name_of(&path));
        call(
            "CreateEndpoint",
            json!({
                "NetworkID": network,
                "EndpointID": id,
                "Interface": {"Address": address.to_string(), "AddressIPv6": "", "MacAddress": ""},
                "Options": {"com.docker.network.endpoint.exposedports": []},
            }),
        )?;
        let joined = call(
            "Join",
            json!({"NetworkID": network, "EndpointID": id, "SandboxKey": path}),
        )?;
        sandbox.endpoints.push(Endpoint {
            network: network.to_owned(),
            id,
            address: address.ip(),
        });
        let made = joined["InterfaceName"]["SrcName"].as_str();
        let output = Command::new("ip")
            .args(["link", "set", "dev", made.unwrap_or_default()])
            .args(["netns", name_of(&path), "name", &ifname])
            .output()?;
        check("ip link set", &output)?;
        expect("the gateway", joined["Gateway"].clone(), json!(gateway))?;
        // Docker takes the gateway of the first network.
        let is_first = sandbox.endpoints.len() == 1;
        let default = is_first.then(|| Route::default_via(gateway.into()));
        let config = InterfaceConfig {
            addresses: vec![IpNetwork::V4(address)],
            routes: default.into_iter().collect(),
            forwarding: false,
        };
        Ok(Kernel::new().configure(sandbox.netns.netns(), &ifname, &config)?)
    }
}

impl StandIn {
    /// A new sandbox with an endpoint in each network.
    fn start(&mut self, name: &'static str, networks: &[&str]) -> Result<Member, Failure> {
        self.started += 1;
        let mut sandbox = Sandbox {
            netns: TestNetns::new(&format!("{name}-{}", self.started))?,
            endpoints: Vec::new(),
        };
        for network in networks {
            self.connect(&mut sandbox, network)?;
        }
        if networks.len() > 1 {
            let switch = || std::fs::write("/proc/sys/net/ipv4/ip_forward", "1");
            sandbox.netns.netns().run(switch)??;
        }
        let member = Member::look(name, "for Docker", sandbox.netns.path())?;
        self.sandboxes.insert(name, sandbox);
        Ok(member)
    }

    /// Leave and DeleteEndpoint for each network; the sandbox goes.
    fn stop(&mut self, name: &str) -> Result<(), Failure> {
        let sandbox = self.sandboxes.remove(name);
        for endpoint in sandbox.iter().flat_map(|sandbox| &sandbox.endpoints) {
            let ids = json!({"NetworkID": endpoint.network, "EndpointID": endpoint.id});
            call("Leave", ids.clone())?;
            call("DeleteEndpoint", ids)?;
            if let Some(pool) = self.networks.get_mut(endpoint.network.as_str()) {
                pool.given.remove(&endpoint.address);
            }
        }
        Ok(())
    }
}

impl Containers for StandIn {
    fn create_network(&mut self, network: &Network) -> Result<(), Failure> {
        let name = network.name;
        step(&format!("NetworkDriver.CreateNetwork {name}"), || {
            let pool = Pool::new(network.subnet)?;
            let rt = network.route_target;
            call(
                "CreateNetwork",
                json!({
                    "NetworkID": name,
                    "Options": {"com.docker.network.generic": {"name": name, "rt": rt}},
                    "IPv4Data": [{
                        "AddressSpace": "LocalDefault",
                        "Pool": network.subnet,
                        "Gateway": pool.gateway()?.to_string(),
                    }],
                    "IPv6Data": [],
                }),
            )?;
            self.networks.insert(name, pool);
            Ok(((), Vec::new()))
        })
    }

    fn run(&mut self, name: &'static str, networks: &[&str]) -> Result<Member, Failure> {
        let what = format!("NetworkDriver.CreateEndpoint, NetworkDriver.Join for {name}");
        step(&what, || Ok((self.start(name, networks)?, Vec::new())))
    }

    fn restart(&mut self, container: &Member) -> Result<Member, Failure> {
        let name = container.name;
        let networks: Vec<&str> = container.legs.iter().map(|leg| leg.network).collect();
        let what = format!("NetworkDriver.Leave … NetworkDriver.Join for {name}, with new ids");
        step(&what, || {
            self.stop(name)?;
            Ok((self.start(name, &networks)?, Vec::new()))
        })
    }

    /// Only Docker knows a container by its name; the controller has its virtual machine.
    fn chain_member(&self, container: &Member) -> Value {
        let sandbox = container.netns.path().to_string_lossy().into_owned();
        json!({"vm": identity::virtual_machine(NODE, &sandbox)})
    }

    fn remove(&mut self, container: &Member) -> Result<(), Failure> {
        let name = container.name;
        let what = format!("NetworkDriver.Leave, NetworkDriver.DeleteEndpoint for {name}");
        step(&what, || Ok((self.stop(name)?, Vec::new())))
    }

    fn remove_network(&mut self, network: &Network) -> Result<(), Failure> {
        let name = network.name;
        step(&format!("NetworkDriver.DeleteNetwork {name}"), || {
            call("DeleteNetwork", json!({"NetworkID": name}))?;
            self.networks.remove(name);
            Ok(((), Vec::new()))
        })
    }

    fn end(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

impl Pool {
    fn new(subnet: &str) -> Result<Self, Failure> {
        let subnet = subnet.parse();
        let subnet = subnet.map_err(|_| Failure::missing("the story", "subnet", ""))?;
        let given = BTreeSet::new();
        Ok(Self { subnet, given })
    }

    /// The first address.
    fn gateway(&self) -> Result<Ipv4Network, Failure> {
        self.address(1)
    }

    /// A free address, and the gateway.
    fn next(&mut self) -> Result<(Ipv4Network, Ipv4Addr), Failure> {
        let mut number = 2;
        while self.given.contains(&self.address(number)?.ip()) {
            number += 1;
        }
        let address = self.address(number)?;
        self.given.insert(address.ip());
        Ok((address, self.gateway()?.ip()))
    }

    fn address(&self, number: u32) -> Result<Ipv4Network, Failure> {
        let address = self.subnet.nth(number);
        let address = address.map(|ip| Ipv4Network::new(ip, self.subnet.prefix()));
        let full = || Failure::missing("the subnet", "address", &self.subnet.to_string());
        address.and_then(Result::ok).ok_or_else(full)
    }
}

/// Sends a request; what the plugin answers when it does what it is asked for.
fn call(method: &str, arguments: Value) -> Result<Value, Failure> {
    let path = format!("/NetworkDriver.{method}");
    let (status, answer) = plugin_socket::post(Path::new(SOCKET), &path, &arguments)?;
    let refused = answer["Err"].as_str().filter(|text| !text.is_empty());
    match refused {
        None if status == 200 => Ok(answer),
        _ => Err(Failure::Command {
            command: path,
            status: status.to_string(),
            output: answer.to_string(),
        }),
    }
}

/// The name of a namespace.
fn name_of(path: &Path) -> &str {
    let name = path.file_name().and_then(|name| name.to_str());
    name.unwrap_or_default()
}
