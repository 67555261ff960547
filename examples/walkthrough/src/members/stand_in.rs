//! Network namespaces in place of Docker containers: the same calls of the plugin's socket, and what
//! Docker itself does after them.

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

use super::containers::Containers;
use super::member::Member;
use super::networks::Network;
use crate::failure::{Failure, expect};
use crate::programs::{NODE, SOCKET, check};
use crate::report::step;

/// The state that Docker would keep.
#[derive(Default)]
pub struct StandIn {
    networks: BTreeMap<&'static str, Pool>,
    sandboxes: BTreeMap<&'static str, Sandbox>,
    /// The number of sandboxes started so far: a container that restarts gets a new one.
    started: usize,
}

/// A subnet that allocates its first free address, as Docker's default IPAM driver does.
struct Pool {
    subnet: Ipv4Network,
    allocated: BTreeSet<Ipv4Addr>,
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
    /// CreateEndpoint and Join; then moves, renames and configures the interface, as Docker does.
    fn connect(&mut self, sandbox: &mut Sandbox, network: &str) -> Result<(), Failure> {
        let pool = self.networks.get_mut(network);
        let pool =
            pool.ok_or_else(|| Failure::missing("the stand-in for Docker", "network", network))?;
        let (address, gateway) = pool.allocate()?;
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
        let created = joined["InterfaceName"]["SrcName"].as_str();
        let created = created
            .ok_or_else(|| Failure::missing("the response to Join", "interface", &ifname))?;
        let output = Command::new("ip")
            .args(["link", "set", "dev", created])
            .args(["netns", name_of(&path), "name", &ifname])
            .output()?;
        check("ip link set", &output)?;
        expect("gateway", joined["Gateway"].clone(), json!(gateway))?;
        // Docker uses the gateway of the first network.
        let is_first = sandbox.endpoints.len() == 1;
        let default = is_first.then(|| Route::default_via(gateway.into()));
        let config = InterfaceConfig {
            addresses: vec![IpNetwork::V4(address)],
            routes: default.into_iter().collect(),
            forwarding: false,
        };
        Ok(Kernel::new().configure(sandbox.netns.netns(), &ifname, &config)?)
    }

    /// Starts a sandbox with an endpoint in each network.
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
        let member = Member::look(name, "stand-in", sandbox.netns.path())?;
        self.sandboxes.insert(name, sandbox);
        Ok(member)
    }

    /// Leave and DeleteEndpoint for each network; then removes the sandbox.
    fn stop(&mut self, name: &str) -> Result<(), Failure> {
        let sandbox = self.sandboxes.remove(name);
        for endpoint in sandbox.iter().flat_map(|sandbox| &sandbox.endpoints) {
            let ids = json!({"NetworkID": endpoint.network, "EndpointID": endpoint.id});
            call("Leave", ids.clone())?;
            call("DeleteEndpoint", ids)?;
            if let Some(pool) = self.networks.get_mut(endpoint.network.as_str()) {
                pool.allocated.remove(&endpoint.address);
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
        let interfaces = container.interfaces.iter();
        let networks: Vec<&str> = interfaces.map(|interface| interface.network).collect();
        let what = format!("NetworkDriver.Leave … NetworkDriver.Join for {name}, with new ids");
        step(&what, || {
            self.stop(name)?;
            Ok((self.start(name, &networks)?, Vec::new()))
        })
    }

    /// By its virtual machine: only a Docker engine could resolve a container name.
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
        let subnet = subnet.map_err(|_| Failure::missing("the walk-through", "subnet", ""))?;
        let allocated = BTreeSet::new();
        Ok(Self { subnet, allocated })
    }

    /// The first address, with the prefix length.
    fn gateway(&self) -> Result<Ipv4Network, Failure> {
        self.address(1)
    }

    /// Allocates the first free address; returns it and the gateway.
    fn allocate(&mut self) -> Result<(Ipv4Network, Ipv4Addr), Failure> {
        let mut number = 2;
        while self.allocated.contains(&self.address(number)?.ip()) {
            number += 1;
        }
        let address = self.address(number)?;
        self.allocated.insert(address.ip());
        Ok((address, self.gateway()?.ip()))
    }

    fn address(&self, number: u32) -> Result<Ipv4Network, Failure> {
        let address = self.subnet.nth(number);
        let address = address.map(|ip| Ipv4Network::new(ip, self.subnet.prefix()));
        let full = || Failure::missing("the subnet", "address", &self.subnet.to_string());
        address.and_then(Result::ok).ok_or_else(full)
    }
}

/// Sends a request to the plugin; returns its response, or fails with the plugin's error.
fn call(method: &str, arguments: Value) -> Result<Value, Failure> {
    let path = format!("/NetworkDriver.{method}");
    let (status, answer) = plugin_socket::post(Path::new(SOCKET), &path, &arguments)?;
    let error = answer["Err"].as_str().filter(|text| !text.is_empty());
    match error {
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
